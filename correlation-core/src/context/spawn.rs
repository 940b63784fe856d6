//! Helpers that spawn tokio tasks in the current context.

use tokio::task::JoinHandle;

use super::{Ambient, Scoped, bind};

/// Spawns a future with [`tokio::spawn`], in the current context.
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
/// If it is called outside a tokio runtime, as with `tokio::spawn`.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // A new task is nobody's yet. So without a context, the framework may still tie a request to it.
    tokio::spawn(Scoped::new(Ambient::now(), future))
}

/// Runs a blocking function with [`tokio::task::spawn_blocking`], in the current context.
///
/// ```
/// use correlation_core::{CorrelationId, current, scope, spawn_blocking};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// scope(CorrelationId::new(), async {
///     let seen = spawn_blocking(current).await.unwrap();
///     assert_eq!(seen, current());
/// }).await;
/// # }
/// ```
///
/// # Panics
///
/// If it is called outside a tokio runtime, as with `tokio::task::spawn_blocking`.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    tokio::task::spawn_blocking(bind(f))
}
