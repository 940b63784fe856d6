//! What takes the context of the caller along, into threads, pools and callbacks.

use std::fmt;

use super::Scoped;
use super::slot::{self, Ambient};

/// Binds a function to the context of the caller: for `spawn_blocking` and threads.
///
/// The context is taken when `bind` is called. The function runs once; where one runs many times,
/// or where it is too late since a pool runs your closure already, take a [`snapshot`].
///
/// ```
/// use correlation_core::{CorrelationId, bind, current, sync_scope};
///
/// let id = CorrelationId::new();
/// let thread = sync_scope(id.clone(), || std::thread::spawn(bind(|| current())));
/// assert_eq!(thread.join().unwrap(), Some(id));
/// ```
pub fn bind<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let snapshot = snapshot();
    move || snapshot.run(f)
}

/// Takes the context of the caller, to run any number of functions in: for `scope` and `par_iter`
/// of rayon, thread pools, and callbacks that are called more than once.
///
/// Take it before the work is handed to the pool: in a closure that a worker runs already, there
/// is no context left to take.
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

/// The context of where it was taken, with [`snapshot`]. Without one it runs functions with none.
#[derive(Clone)]
pub struct Snapshot(Ambient);

impl Snapshot {
    /// Runs a function in the context, as often as you like, and on several threads at once.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        slot::with(&mut self.0.clone(), f)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = match &self.0 {
            Ambient::Set(context) => Some(context),
            Ambient::Unset | Ambient::Detached => None,
        };
        f.debug_tuple("Snapshot").field(&context).finish()
    }
}

/// Carries the context of the caller into an async callback that a framework runs in a task of
/// its own, as `on_upgrade` of WebSockets does.
///
/// The context is taken when `carry` is called: `on_upgrade(carry(handler))`. Calling
/// [`in_current`](crate::InCurrent::in_current) inside the callback would be too late.
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
    let mut slot = Ambient::capture();
    move |argument| {
        let future = slot::with(&mut slot, || f(argument));
        Scoped::new(slot, future)
    }
}
