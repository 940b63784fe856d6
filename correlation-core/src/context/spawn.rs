//! The helpers for tokio.

use tokio::task::JoinHandle;

use super::{InCurrent, bind};

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
