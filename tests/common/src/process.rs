//! The first and the last thing a service does.

use std::io::{self, Write};
use std::net::SocketAddr;

/// Tells on standard error where the service listens, so that whoever started it with port 0
/// can find it; standard output belongs to the log records.
pub fn announce(addr: SocketAddr) {
    // Not `eprintln!`, which panics if nobody reads it.
    let _ = writeln!(io::stderr(), "listening on {addr}");
}

/// Completes on SIGTERM or Ctrl-C: what a server's graceful shutdown waits for.
///
/// The signals are heard from this call on, not only once somebody waits. Call it before
/// [`announce`]: whoever reads that line may send one at once, and one that nobody hears kills.
///
/// # Panics
///
/// Outside a tokio runtime, and if the operating system refuses a signal handler.
pub fn terminated() -> impl Future<Output = ()> + Send + 'static {
    let terminate = terminate();
    async {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.expect("Ctrl-C can be listened for");
            }
            () = terminate => {}
        }
    }
}

#[cfg(unix)]
fn terminate() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};

    let mut signals = signal(SignalKind::terminate()).expect("SIGTERM can be listened for");
    async move {
        signals.recv().await;
    }
}

#[cfg(not(unix))]
fn terminate() -> impl Future<Output = ()> + Send + 'static {
    std::future::pending()
}
