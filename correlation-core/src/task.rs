//! Helpers for tokio, and the context by task ID for frameworks that leave no other way.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::ThreadId;

use tokio::task::{Id, JoinHandle};

use crate::{Context, InCurrent, bind, context};

/// As [`tokio::spawn`], in the context of the caller.
///
/// ```
/// use correlation_core::{CorrelationId, current, scope, spawn};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// scope(CorrelationId::new(), async {
///     let background = spawn(async { current() });
///     assert_eq!(background.await.unwrap(), current());
/// }).await;
/// # }
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime, as `tokio::spawn` does.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.in_current())
}

/// As [`tokio::task::spawn_blocking`], in the context of the caller.
///
/// # Panics
///
/// Outside of a tokio runtime, as `tokio::task::spawn_blocking` does.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    tokio::task::spawn_blocking(bind(f))
}

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
        context::set_fallback(lookup);
        let key = Key::current();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        write(key).entry(key).or_default().push(Entry {
            number,
            context,
            finished: false,
        });
        Self { key, number }
    }

    /// The request is answered, and only its body may still be written: another one in the same
    /// task goes first from now on.
    ///
    /// A thread that is in no task may do anything next, so there it ends at once.
    pub fn finish(&self) {
        match self.key {
            Key::Task(_) => {
                let mut shard = write(self.key);
                let mut entries = shard.get_mut(&self.key).into_iter().flatten();
                if let Some(entry) = entries.find(|entry| entry.number == self.number) {
                    entry.finished = true;
                }
            }
            Key::Thread(_) => self.remove(),
        }
    }

    fn remove(&self) {
        let mut shard = write(self.key);
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

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Key {
    Task(Id),
    Thread(ThreadId),
}

impl Key {
    fn current() -> Self {
        tokio::task::try_id().map_or_else(|| Self::Thread(std::thread::current().id()), Self::Task)
    }

    fn shard(self) -> &'static RwLock<Shard> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(self);
        &TABLE[usize::try_from(hash % SHARDS as u64).unwrap_or(0)]
    }
}

fn lookup() -> Option<Context> {
    let key = Key::current();
    let shard = read(key);
    let context = match shard.get(&key)?.as_slice() {
        [only] => Some(&only.context),
        several => {
            let mut open = several.iter().filter(|entry| !entry.finished);
            let first = open.next();
            first
                .filter(|_| open.next().is_none())
                .map(|entry| &entry.context)
        }
    };
    context.cloned()
}

fn read(key: Key) -> RwLockReadGuard<'static, Shard> {
    key.shard().read().unwrap_or_else(PoisonError::into_inner)
}

fn write(key: Key) -> RwLockWriteGuard<'static, Shard> {
    key.shard().write().unwrap_or_else(PoisonError::into_inner)
}

type Shard = HashMap<Key, Vec<Entry>, BuildHasherDefault<DefaultHasher>>;

const SHARDS: usize = 64;
static TABLE: [RwLock<Shard>; SHARDS] =
    [const { RwLock::new(HashMap::with_hasher(BuildHasherDefault::new())) }; SHARDS];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CorrelationId, current, detached, scope};

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
