use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use correlation_core::{Context, scope, spawn, spawn_blocking};
use tracing::{error_span, info, info_span, warn};

/// Something that happens to a request, and that a log is expected to tell.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// As in the README.
    pub name: &'static str,
    /// Lets it happen, in the scope of a request.
    pub run: fn(Context) -> Pin<Box<dyn Future<Output = ()>>>,
}

/// All situations.
pub const SITUATIONS: [Situation; 6] = [
    Situation {
        name: "plain event",
        run: |request| Box::pin(scope(request, plain_event())),
    },
    Situation {
        name: "filtered-out span",
        run: |request| Box::pin(scope(request, filtered_out_span())),
    },
    Situation {
        name: "spawned",
        run: |request| Box::pin(scope(request, spawned())),
    },
    Situation {
        name: "blocking",
        run: |request| Box::pin(scope(request, blocking())),
    },
    Situation {
        name: "forged line",
        run: |request| Box::pin(scope(request, forged_line())),
    },
    Situation {
        name: "cancelled request",
        run: |request| Box::pin(cancelled(request)),
    },
];

async fn plain_event() {
    info!(rows = 3, "query done");
    let _span = info_span!("db", table = "users").entered();
    warn!(rows = 0, "no such user");
}

/// As a middleware that relies on a span would do it.
async fn filtered_out_span() {
    let _span = error_span!(target: "adapter", "request", correlation_id = "of-the-span").entered();
    info!("order placed");
}

async fn spawned() {
    let mail = spawn(async { info!("mail sent") });
    mail.await.expect("the task does not panic");
}

async fn blocking() {
    let thumbnail = spawn_blocking(|| info!("thumbnail made"));
    thumbnail.await.expect("the function does not panic");
}

/// A caller who would like to write a record of somebody else.
async fn forged_line() {
    info!("no such order\n{{\"correlation_id\":\"victim\",\"level\":\"ERROR\"}}");
}

/// A client that goes away: its request is not polled to the end, but dropped.
async fn cancelled(request: Context) {
    struct Transaction;
    impl Drop for Transaction {
        fn drop(&mut self) {
            info!("transaction rolled back");
        }
    }
    let mut request = Box::pin(scope(request, async {
        let _transaction = Transaction;
        pending::<()>().await;
    }));
    poll_fn(|cx| {
        assert!(request.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(request);
}
