//! Helpers that take the current context into threads, pools and callbacks.

use std::fmt;

use super::Scoped;
use super::slot::{self, Ambient};

/// Binds a function to the current context. Use it for `spawn_blocking` and threads.
///
/// The context is taken when you call `bind`, and the function runs once. If nobody calls it, it is
/// dropped in the context. If a function runs many
/// times, take a [`snapshot`]. Also take one if a pool runs your closure on a worker thread, where
/// it is too late to call `bind`.
///
/// ```
/// use correlation_core::{CorrelationId, bind, current, sync_scope};
///
/// let id = CorrelationId::new();
/// let thread = sync_scope(id.clone(), || std::thread::spawn(bind(|| current())));
/// assert_eq!(thread.join().unwrap(), Some(id));
/// ```
pub fn bind<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let bound = Scoped::new(Ambient::capture(), f);
    move || {
        let (mut slot, f) = bound.into_parts();
        slot::with(&mut slot, f)
    }
}

/// Takes the current context, so that you can run any number of functions in it. Use it for rayon's
/// `scope` and `par_iter`, thread pools, and callbacks that run more than once.
///
/// Take the snapshot before you hand work to the pool. In a closure that already runs on a worker
/// thread, there is no context left to take.
///
/// ```
/// use correlation_core::{CorrelationId, current, snapshot, sync_scope};
///
/// let id = CorrelationId::new();
/// sync_scope(id.clone(), || {
///     let snapshot = snapshot();
///     std::thread::scope(|threads| {
///         for _ in 0..2 {
///             threads.spawn(|| assert_eq!(snapshot.run(current), Some(id.clone())));
///         }
///     });
/// });
/// ```
#[must_use]
pub fn snapshot() -> Snapshot {
    Snapshot(Ambient::capture())
}

/// The context at the place where you called [`snapshot`]. If there was none there, functions run
/// without a context.
#[derive(Clone)]
pub struct Snapshot(Ambient);

impl Snapshot {
    /// Runs a function in this context. You can call it as often as you like, and on several
    /// threads at once.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        slot::with(&mut self.0.clone(), f)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = match &self.0 {
            Ambient::Set(context) => Some(context),
            _ => None,
        };
        f.debug_tuple("Snapshot").field(&context).finish()
    }
}

/// Carries the current context into an async callback that a framework runs in a separate task,
/// such as `on_upgrade` of WebSockets.
///
/// The context is taken when you call `carry`: `on_upgrade(carry(handler))`. It would be too late
/// to call [`in_current`](crate::InCurrent::in_current) in the callback.
///
/// ```
/// use correlation_core::{CorrelationId, carry, current, sync_scope};
///
/// let id = CorrelationId::new();
/// let on_upgrade = sync_scope(id.clone(), || carry(|_socket: u8| async { current() }));
/// # let seen = futures_util::future::FutureExt::now_or_never(
/// on_upgrade(1) // called by the framework, somewhere else
/// # ).unwrap();
/// # assert_eq!(seen, Some(id));
/// # ;
/// ```
pub fn carry<A, F: Future>(f: impl FnOnce(A) -> F) -> impl FnOnce(A) -> Scoped<F> {
    let bound = Scoped::new(Ambient::capture(), f);
    move |argument| {
        let (mut slot, f) = bound.into_parts();
        let future = slot::with(&mut slot, || f(argument));
        Scoped::new(slot, future)
    }
}
