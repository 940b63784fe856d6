//! When a service ends.

use std::time::Duration;
use std::{io, process, thread};

use tokio::signal;
use tokio::sync::oneshot;

/// Completes when the service is to end: on SIGTERM, on Ctrl-C, and when standard input is
/// closed, which is how the supervisor asks for it. The system closes it as well if the
/// supervisor is killed, so that nothing is left behind even then.
pub(super) async fn ended() {
    let (closed, stdin) = oneshot::channel();
    // A thread and not a task: a blocking read would keep the runtime from shutting down.
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = closed.send(());
        // Nobody may be left who would end us if we hang.
        thread::sleep(PATIENCE);
        process::exit(1);
    });
    tokio::select! {
        () = terminated() => {}
        _ = stdin => {}
    }
}

/// Completes on Ctrl-C, and on SIGTERM where there is such a thing.
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

/// Longer than the supervisor's own, so that it sees how a process ends that is too slow.
const PATIENCE: Duration = Duration::from_secs(10);
