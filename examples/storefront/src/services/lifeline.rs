//! The end of a service.

use std::time::Duration;
use std::{io, process, thread};

use tokio::signal;
use tokio::sync::oneshot;

/// Completes when the service has to end: on SIGTERM, on Ctrl-C, and when standard input is closed.
///
/// The supervisor closes it to end the service. If the supervisor is killed, the system closes it
/// too, so no service stays behind.
pub(super) async fn ended() {
    let (closed, stdin) = oneshot::channel();
    // This is a thread and not a task, because a blocking read would keep the runtime from shutting
    // down.
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = closed.send(());
        // There may be no supervisor left to end this process if it hangs.
        thread::sleep(PATIENCE);
        process::exit(1);
    });
    tokio::select! {
        () = terminated() => {}
        _ = stdin => {}
    }
}

/// Completes on Ctrl-C, and on SIGTERM if the system has it.
pub(crate) async fn terminated() {
    #[cfg(unix)]
    let terminate = async {
        let signals = signal::unix::signal(signal::unix::SignalKind::terminate());
        signals.expect("SIGTERM can be listened for").recv().await;
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        _ = signal::ctrl_c() => {}
        () = terminate => {}
    }
}

/// This is longer than the supervisor's limit, so that the supervisor sees how a slow process ends.
const PATIENCE: Duration = Duration::from_secs(10);
