//! Makes tasks inherit the context of the code that spawns them.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::Id;

use super::by_task::{Key, Table, is_used};
use super::{Ambient, Context};

/// Makes every task of a runtime inherit the ID of the code that spawns it.
///
/// This includes plain `tokio::spawn` and `JoinSet::spawn`, also inside libraries, and tasks that
/// such tasks spawn. `asyncio.create_task` does the same in Python.
///
/// ```
/// # #[cfg(tokio_unstable)] {
/// use correlation_core::{CorrelationId, current, inherit_on_spawn, scope};
///
/// let mut builder = tokio::runtime::Builder::new_multi_thread();
/// let runtime = inherit_on_spawn(builder.enable_all()).build()?;
/// let id = CorrelationId::new();
/// runtime.block_on(scope(id.clone(), async {
///     assert_eq!(tokio::spawn(async { current() }).await?, Some(id));
///     Ok::<_, tokio::task::JoinError>(())
/// }))?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It uses hooks of tokio that are not stable yet. So you must build the whole program with the
/// flag `--cfg tokio_unstable`, in `.cargo/config.toml`:
///
/// ```toml
/// [build]
/// rustflags = ["--cfg", "tokio_unstable"]
/// ```
///
/// Otherwise a call of this function does not compile, and the compiler says which flag to set. See
/// tokio's [unstable features](https://docs.rs/tokio/latest/tokio/#unstable-features).
///
/// - A task gets the [`current`](crate::current) ID of the place where it is spawned, not of the
///   place where it first runs. A [`scope`](crate::scope), [`detached`](crate::detached) and
///   [`spawn`](crate::spawn) win over it.
/// - **A task that outlives the request keeps the ID of the request that happened to start it.**
///   Examples are a connection in the pool of a client, and a cache that refreshes itself. Start
///   such a task in [`detached`](crate::detached), or before the first request.
/// - tokio's `spawn_blocking` has no such hook: use [`spawn_blocking`](crate::spawn_blocking),
///   which carries the ID. `spawn_local` on a `LocalSet`, which `actix_web::rt::spawn` uses, has no
///   hook either. `spawn_local` on a `LocalRuntime` has one.
/// - You cannot add hooks to a runtime that a framework builds, such as those of the workers of
///   actix-web. Spawn on the handle of your own runtime there.
/// - A builder has only one hook of each kind. If you set hooks yourself, call
///   [`adapter::SpawnHooks`](crate::adapter::SpawnHooks) from them instead.
#[cfg(tokio_unstable)]
pub fn inherit_on_spawn(builder: &mut tokio::runtime::Builder) -> &mut tokio::runtime::Builder {
    let hooks = SpawnHooks::new();
    let at_end = hooks.clone();
    builder
        .on_task_spawn(move |task| hooks.on_task_spawn(task.id()))
        .on_task_terminate(move |task| at_end.on_task_terminate(task.id()))
}

/// Makes every task of a runtime inherit the ID of the code that spawns it.
///
/// This program is built without `--cfg tokio_unstable`, so a call of this function does not
/// compile. The tokio hooks that it needs are missing. Set the flag in `.cargo/config.toml`:
///
/// ```toml
/// [build]
/// rustflags = ["--cfg", "tokio_unstable"]
/// ```
#[cfg(not(tokio_unstable))]
pub fn inherit_on_spawn<B: HasTaskHooks>(builder: &mut B) -> &mut B {
    builder
}

/// A runtime builder of a tokio that is built with `--cfg tokio_unstable`. Without the flag, no
/// type implements it.
#[cfg(not(tokio_unstable))]
#[diagnostic::on_unimplemented(
    message = "`inherit_on_spawn` needs a program that is built with `--cfg tokio_unstable`",
    label = "tokio was built without its task hooks",
    note = "set it in `.cargo/config.toml`:\n[build]\nrustflags = [\"--cfg\", \"tokio_unstable\"]",
    note = "the variable RUSTFLAGS, if it is set, replaces what that file says"
)]
pub trait HasTaskHooks: private::Sealed {}

#[cfg(not(tokio_unstable))]
mod private {
    pub trait Sealed {}
}

/// Does the same as [`inherit_on_spawn`], for a runtime whose hooks you set yourself. Call both
/// methods from your hooks.
///
/// ```
/// # #[cfg(tokio_unstable)] {
/// use correlation_core::adapter::SpawnHooks;
///
/// let hooks = SpawnHooks::new();
/// let at_end = hooks.clone();
/// let runtime = tokio::runtime::Builder::new_current_thread()
///     .on_task_spawn(move |task| hooks.on_task_spawn(task.id())) // and what you count
///     .on_task_terminate(move |task| at_end.on_task_terminate(task.id()))
///     .build()?;
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Each runtime needs a separate value, which the hooks share by cloning. An entry is removed when
/// its task ends. All entries are removed when the last clone is dropped, which happens when the
/// runtime is gone.
#[derive(Clone, Debug)]
pub struct SpawnHooks(Arc<Runtime>);

/// A number that identifies a runtime.
#[derive(Debug)]
struct Runtime(u64);

impl Drop for Runtime {
    fn drop(&mut self) {
        // If a task is spawned while the runtime shuts down, it ends before its hook is called.
        if is_used() {
            INHERITED.remove_all(|inherited| inherited.runtime == self.0);
        }
    }
}

impl SpawnHooks {
    /// Makes the hooks for one runtime.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two of them are not alike")]
    pub fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        Self(Arc::new(Runtime(NUMBER.fetch_add(1, Ordering::Relaxed))))
    }

    /// Call it in the hook of `tokio::runtime::Builder::on_task_spawn`, which runs where the task
    /// is spawned.
    pub fn on_task_spawn(&self, task: Id) {
        if let Ambient::Set(context) = Ambient::now()
            && ENDED.get() != Some(task)
        {
            let runtime = self.0.0;
            let key = Key::Task(task);
            let inherited = Inherited { runtime, context };
            let replaced = INHERITED.write(key).insert(key, inherited);
            drop(replaced);
        }
    }

    /// Call it in the hook of `tokio::runtime::Builder::on_task_terminate`.
    pub fn on_task_terminate(&self, task: Id) {
        ENDED.set(Some(task));
        if is_used() {
            let key = Key::Task(task);
            let removed = INHERITED.write(key).remove(&key);
            drop(removed);
        }
    }
}

/// Returns the context that this task has inherited.
pub(super) fn lookup(key: Key) -> Option<Context> {
    let shard = INHERITED.read(key);
    shard.get(&key).map(|inherited| inherited.context.clone())
}

struct Inherited {
    runtime: u64,
    context: Context,
}

static INHERITED: Table<Inherited> = Table::new();

thread_local! {
    /// The task that ended last on this thread. A runtime that was shut down ends a new task before
    /// it calls the spawn hook, on the same thread.
    static ENDED: Cell<Option<Id>> = const { Cell::new(None) };
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::adapter::TaskContext;
    use crate::{CorrelationId, current, sync_scope};

    fn context(id: &str) -> Context {
        Context::from(id.parse::<CorrelationId>().unwrap())
    }

    fn seen() -> Option<String> {
        current().map(String::from)
    }

    /// Returns the ID that a task reads after `hooks` saw its spawn, in the context of this call.
    async fn child(hooks: &SpawnHooks) -> Option<String> {
        let (go, went) = oneshot::channel();
        let task = tokio::spawn(async {
            went.await.unwrap();
            seen()
        });
        hooks.on_task_spawn(task.id());
        go.send(()).unwrap();
        task.await.unwrap()
    }

    /// Rocket and warp's filters use a table instead of a scope.
    #[tokio::test]
    async fn a_task_inherits_from_a_request_without_a_scope() {
        let hooks = SpawnHooks::new();
        tokio::spawn(async move {
            assert_eq!(child(&hooks).await, None);
            let request = TaskContext::enter(context("request"));
            assert_eq!(child(&hooks).await.as_deref(), Some("request"));
            request.finish();
            assert_eq!(child(&hooks).await.as_deref(), Some("request"));
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn the_request_that_a_task_answers_wins_over_what_it_inherited() {
        let hooks = SpawnHooks::new();
        let (go, went) = oneshot::channel();
        let task = tokio::spawn(async {
            went.await.unwrap();
            let before = seen();
            let first = TaskContext::enter(context("first"));
            let within = seen();
            let second = TaskContext::enter(context("second"));
            // The code cannot tell which of the two is meant, and the ID of the spawner would be
            // wrong.
            let both = seen();
            drop((first, second));
            (before, within, both, seen())
        });
        sync_scope(context("spawner"), || hooks.on_task_spawn(task.id()));
        go.send(()).unwrap();
        let some = |id: &str| Some(id.to_owned());
        assert_eq!(
            task.await.unwrap(),
            (some("spawner"), some("first"), None, some("spawner"))
        );
    }

    #[tokio::test]
    async fn nothing_stays_of_a_task_or_of_a_runtime() {
        let (hooks, others) = (SpawnHooks::new(), SpawnHooks::new());
        let tasks = [(); 3].map(|()| tokio::spawn(async {}));
        let [first, second, third] = tasks.each_ref().map(tokio::task::JoinHandle::id);
        let is_known = |id| {
            let key = Key::Task(id);
            INHERITED.read(key).contains_key(&key)
        };
        sync_scope(context("abc"), || {
            hooks.on_task_spawn(first);
            hooks.on_task_spawn(second);
            others.on_task_spawn(third);
        });
        hooks.on_task_terminate(first);
        assert_eq!([first, second, third].map(is_known), [false, true, true]);
        // As a runtime does that was shut down, whose handle is still there.
        sync_scope(context("abc"), || hooks.on_task_spawn(first));
        assert!(!is_known(first), "it has ended");
        drop(hooks.clone());
        assert!(is_known(second), "a clone is left");
        drop(hooks);
        assert_eq!([second, third].map(is_known), [false, true]);
    }
}
