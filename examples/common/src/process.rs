//! The first and the last thing a service does.

use std::net::SocketAddr;

/// Tells on standard error where the service listens, so that whoever started it with port 0
/// can find it; standard output belongs to the log records.
pub fn announce(addr: SocketAddr) {
    eprintln!("listening on {addr}");
}

/// Completes on SIGTERM or Ctrl-C: what a server's graceful shutdown waits for.
///
/// # Panics
///
/// If the operating system refuses a signal handler.
pub async fn terminated() {
    let interrupt = async {
        tokio::signal::ctrl_c()
            .await
            .expect("Ctrl-C can be listened for");
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate() => {}
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};

    signal(SignalKind::terminate())
        .expect("SIGTERM can be listened for")
        .recv()
        .await;
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending::<()>().await;
}
