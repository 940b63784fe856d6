//! The context by task ID, for frameworks that leave no other way.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Context;
use super::by_task::{Key, Table, is_used};
use super::inherit;

/// Ties a context to the running tokio task (outside of one, to the thread) until it is dropped.
///
/// For adapters of frameworks whose request cannot be wrapped in a [`scope`](crate::scope), but
/// which run each request in a task of its own: Rocket, and warp's filters. A scope always wins
/// over it. Where a task has more than one, the one that is not [finished](Self::finish) is read;
/// with two of them nothing is: no ID rather than a wrong one.
#[derive(Debug)]
pub struct TaskContext {
    key: Key,
    number: u64,
}

impl TaskContext {
    /// Ties `context` to the task that runs now.
    #[must_use = "the context is gone when this is dropped"]
    pub fn enter(context: Context) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let key = Key::current();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // One, as nearly always: a `Vec` that grows by itself has room for four.
        let mut shard = REQUESTS.write(key);
        let entries = shard.entry(key).or_insert_with(|| Vec::with_capacity(1));
        entries.push(Entry {
            number,
            context,
            finished: false,
        });
        drop(shard);
        Self { key, number }
    }

    /// The request is answered, and only its body may still be written: another one in the same
    /// task goes first from now on.
    ///
    /// A thread that is in no task may do anything next, so there it ends at once.
    pub fn finish(&self) {
        match self.key {
            Key::Task(_) => {
                let mut shard = REQUESTS.write(self.key);
                let mut entries = shard.get_mut(&self.key).into_iter().flatten();
                if let Some(entry) = entries.find(|entry| entry.number == self.number) {
                    entry.finished = true;
                }
            }
            Key::Thread(_) => self.remove(),
        }
    }

    fn remove(&self) {
        let mut shard = REQUESTS.write(self.key);
        let Some(entries) = shard.get_mut(&self.key) else {
            return;
        };
        let at = entries.iter().position(|entry| entry.number == self.number);
        let removed = at.map(|at| entries.swap_remove(at));
        if entries.is_empty() {
            shard.remove(&self.key);
        }
        drop(shard);
        drop(removed);
    }
}

impl Drop for TaskContext {
    fn drop(&mut self) {
        self.remove();
    }
}

struct Entry {
    number: u64,
    context: Context,
    finished: bool,
}

/// What is known of the running task: the context of the request that it answers, or else the one
/// that it inherited.
#[inline]
pub(super) fn lookup() -> Option<Context> {
    if is_used() { look_up() } else { None }
}

fn look_up() -> Option<Context> {
    let key = Key::current();
    let shard = REQUESTS.read(key);
    let context = match shard.get(&key).map(Vec::as_slice) {
        None => {
            drop(shard);
            return inherit::lookup(key);
        }
        Some([only]) => Some(&only.context),
        Some(several) => {
            let mut open = several.iter().filter(|entry| !entry.finished);
            let first = open.next();
            first
                .filter(|_| open.next().is_none())
                .map(|entry| &entry.context)
        }
    };
    context.cloned()
}

static REQUESTS: Table<Vec<Entry>> = Table::new();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CorrelationId, InCurrent, Policy, bind, current, detached, scope, snapshot, spawn,
        spawn_blocking,
    };

    fn enter(id: &str) -> TaskContext {
        TaskContext::enter(Context::new(id.parse().unwrap()))
    }

    fn seen() -> Option<String> {
        current().map(String::from)
    }

    #[tokio::test]
    async fn a_task_reads_its_own() {
        let tasks: Vec<_> = (0..100)
            .map(|n| {
                tokio::spawn(async move {
                    let _context = enter(&format!("task-{n}"));
                    tokio::task::yield_now().await;
                    (seen(), tokio::spawn(async { seen() }).await.unwrap())
                })
            })
            .collect();
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), (Some(format!("task-{n}")), None));
        }
    }

    #[tokio::test]
    async fn a_scope_wins_and_so_does_none() {
        tokio::spawn(async {
            let _context = enter("task");
            let inner: CorrelationId = "scope".parse().unwrap();
            assert_eq!(
                scope(inner, async { seen() }).await.as_deref(),
                Some("scope")
            );
            assert_eq!(detached(async { seen() }).await, None);
            assert_eq!(seen().as_deref(), Some("task"));
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn the_unfinished_one_is_read_and_none_of_two() {
        tokio::spawn(async {
            let first = enter("first");
            first.finish();
            assert_eq!(seen().as_deref(), Some("first"));
            let second = enter("second");
            assert_eq!(seen().as_deref(), Some("second"));
            let third = enter("third");
            assert_eq!(seen(), None);
            drop(second);
            assert_eq!(seen().as_deref(), Some("third"));
            drop((first, third));
            assert_eq!(seen(), None);
        })
        .await
        .unwrap();
    }

    /// What was taken where there was no ID brings none along, into a task that has one, either.
    #[tokio::test]
    async fn what_was_taken_outside_stays_outside_of_a_task_that_has_an_id() {
        let (future, bound, snapshot) = (async { seen() }.in_current(), bind(seen), snapshot());
        tokio::spawn(async move {
            let _context = enter("task");
            assert_eq!(
                (future.await, bound(), snapshot.run(seen)),
                (None, None, None)
            );
            assert_eq!(seen().as_deref(), Some("task"));
        })
        .await
        .unwrap();
    }

    /// A connection that is kept alive is one task: the next request is no part of the last.
    #[tokio::test]
    async fn the_next_request_of_a_task_is_a_new_one() {
        tokio::spawn(async {
            let _last = enter("last");
            assert_eq!(seen().as_deref(), Some("last"));
            let next = Policy::new().receive(|| [("x-correlation-id", "next")], None);
            assert_eq!(next.context().id(), &"next");
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn nothing_stays_in_the_table() {
        tokio::spawn(async {
            let key = Key::current();
            let (first, second) = (enter("first"), enter("second"));
            drop(first);
            assert!(REQUESTS.read(key).contains_key(&key));
            drop(second);
            assert!(
                !REQUESTS.read(key).contains_key(&key),
                "an empty entry is left"
            );
        })
        .await
        .unwrap();
    }

    #[test]
    fn outside_of_a_task_the_thread_counts_until_the_answer() {
        std::thread::spawn(|| {
            let context = enter("thread");
            assert_eq!(seen().as_deref(), Some("thread"));
            context.finish();
            assert_eq!(seen(), None);
        })
        .join()
        .unwrap();
    }

    #[tokio::test]
    async fn the_helpers_carry_the_context() {
        let id = CorrelationId::new();
        scope(id.clone(), async move {
            assert_eq!(spawn(async { current() }).await.unwrap(), Some(id.clone()));
            assert_eq!(spawn_blocking(current).await.unwrap(), Some(id));
        })
        .await;
    }
}
