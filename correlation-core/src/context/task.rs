//! Contexts by task ID, for frameworks whose requests cannot run in a scope.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Context;
use super::by_task::{Key, Table, is_used};
use super::inherit;

/// Makes a context current in the running tokio task until it is dropped. If no task is running, it
/// is current in the thread.
///
/// Use it in an adapter of a framework that runs each request in a separate task. Use it only if
/// you cannot wrap the request in a [`scope`](crate::scope), as in Rocket and warp's filters. A
/// scope always wins over it.
///
/// ```
/// use correlation_core::{Context, CorrelationId, adapter::TaskContext, current};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let context = Context::from(CorrelationId::new());
/// let request = TaskContext::enter(context.clone());
/// assert_eq!(current().as_ref(), Some(context.id()));
/// drop(request);
/// assert_eq!(current(), None);
/// # }
/// ```
///
/// A task may have several of them. Then the one that is not [finished](Self::finish) is current.
/// If two are not finished, none is: no ID is better than a wrong one.
#[derive(Debug)]
pub struct TaskContext {
    key: Key,
    number: u64,
}

impl TaskContext {
    /// Makes `context` current in the running task.
    #[must_use = "the context is gone when this is dropped"]
    pub fn enter(context: Context) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let key = Key::current();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Nearly always there is only one entry. A `Vec` that grows by itself has room for four.
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

    /// Says that the request is answered, and only its body may still be written. Another request
    /// in the same task wins from now on.
    ///
    /// Outside a task, the thread may do any other work next. So the context ends at once there.
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

/// Returns the context of the running task: that of the request which it answers, or else the
/// inherited one.
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
        TaskContext::enter(Context::from(id.parse::<CorrelationId>().unwrap()))
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

    /// A wrapper made where there was no ID brings no ID, even into a task that has one.
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

    /// A kept-alive connection is one task: its next request is not a part of the last one.
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
