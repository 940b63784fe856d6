//! What the tests of all brokers share.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};

use correlation_core::{Context, Policy, current, inject, scope};
use correlation_testkit::process::DEADLINE;
use correlation_testkit::{TRACE, received};
use queues::Result;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Names under which others send the ID: nats.go and OpenTelemetry for Go write the form of MIME,
/// New Relic and Brighter camel case.
const SPELLINGS: [&str; 9] = [
    "x-correlation-id",
    "X-Correlation-ID",
    "CORRELATION_ID",
    "X-Correlation-Id",
    "X-Request-Id",
    "Correlation-Id",
    "correlation-id",
    "correlationId",
    "CorrelationId",
];

/// What nobody may bring into a log line, a header or a query.
pub(crate) const HOSTILE: [&[u8]; 10] = [
    b"",
    b" ",
    b"a\r\nb",
    b"a\nx-correlation-id: b",
    b"a\0b",
    b"a' */ x",
    b"a\" b",
    b"caf\xc3\xa9",
    b"\xff\xfe",
    &[b'x'; 300],
];

/// Ends the test if the server does not answer.
macro_rules! require {
    ($server:literal, $port:literal) => {
        if !correlation_testkit::require_service($server, $port) {
            return;
        }
    };
}
pub(crate) use require;

/// The context of a request that brought this ID, and a W3C trace context.
pub(crate) fn click(id: &str) -> Context {
    received(&Policy::new(), id)
}

/// What a handler saw when it was called with a message, after an await.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) body: String,
    pub(crate) id: String,
    /// What it would send on.
    pub(crate) sent: HashMap<String, String>,
}

impl Seen {
    #[track_caller]
    pub(crate) fn check(&self, body: &str, id: &str) {
        assert_eq!((&*self.body, &*self.id), (body, id), "{self:?}");
        assert_eq!(self.sent["x-correlation-id"], id);
    }

    /// The handler had the ID of the click, and its trace context.
    #[track_caller]
    pub(crate) fn check_click(&self, body: &str, id: &str) {
        self.check(body, id);
        assert_eq!(self.sent["traceparent"], TRACE);
    }

    /// The handler had a new ID.
    #[track_caller]
    pub(crate) fn check_fresh(&self, body: &str) {
        assert_eq!(self.body, body, "{self:?}");
        let id = Uuid::try_parse(&self.id).unwrap();
        assert_eq!(id.get_version_num(), 4, "{self:?}");
        assert!(!self.sent.contains_key("traceparent"));
    }
}

/// What the handlers saw, in order.
pub(crate) struct Log(mpsc::UnboundedReceiver<Seen>);

impl Log {
    pub(crate) async fn next(&mut self) -> Seen {
        tokio::time::timeout(DEADLINE, self.0.recv())
            .await
            .expect("a message arrives")
            .expect("the handler is there")
    }
}

/// A handler, and what it sees. It fails when it sees a message `fail` for the first time, and
/// never ends with a message `hang`.
pub(crate) fn handler() -> (impl AsyncFn(&[u8]) -> Result, Log) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let failed = AtomicBool::new(false);
    let handle = async move |body: &[u8]| {
        tokio::task::yield_now().await;
        let mut sent = HashMap::new();
        inject(&mut sent);
        let body = String::from_utf8_lossy(body).into_owned();
        let id = current().map(String::from).unwrap_or_default();
        let fail = body == "fail" && !failed.swap(true, Ordering::Relaxed);
        let hang = body == "hang";
        sender.send(Seen { body, id, sent })?;
        if hang {
            pending::<()>().await;
        }
        if fail {
            Err("told to fail".into())
        } else {
            Ok(())
        }
    };
    (handle, Log(receiver))
}

/// Messages of clicks through a queue that gives back what could not be handled. The last one stays
/// in hand when the consumer stops.
pub(crate) async fn clicks(log: &mut Log, produce: impl AsyncFn(&str) -> Result) {
    let send = async |id, body| scope(click(id), produce(body)).await.unwrap();
    send("click-1", "first").await;
    log.next().await.check_click("first", "click-1");
    send("click-2", "fail").await;
    log.next().await.check_click("fail", "click-2");
    log.next().await.check_click("fail", "click-2");
    // Outside of any scope no ID is sent.
    produce("alone").await.unwrap();
    log.next().await.check_fresh("alone");
    send("click-3", "hang").await;
    log.next().await.check_click("hang", "click-3");
}

/// Headers: names, and values of any bytes.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a [u8])];

/// What other programs put into headers. `send` says whether the message was taken, which may be
/// refused for bytes that are no text.
pub(crate) async fn foreign(log: &mut Log, send: impl AsyncFn(&str, Headers<'_>) -> bool) {
    for key in SPELLINGS {
        assert!(send("foreign", &[(key, b"theirs")]).await);
        log.next().await.check("foreign", "theirs");
    }
    for bad in HOSTILE {
        let headers = [ID, "traceparent", "tracestate"].map(|key| (key, bad));
        if send("bad", &headers).await {
            log.next().await.check_fresh("bad");
        } else {
            let text = str::from_utf8(bad);
            assert!(text.is_err() || text.unwrap().contains(char::is_control));
        }
    }
    for key in ["traceparent", "Traceparent"] {
        let headers = [(ID, &b"' */"[..]), (key, TRACE.as_bytes())];
        for headers in [&headers[..], &headers[1..]] {
            assert!(send("traced", headers).await);
            log.next().await.check_click("traced", &TRACE[3..35]);
        }
    }
    assert!(send("bare", &[]).await);
    log.next().await.check_fresh("bare");
    assert!(send("", &[(ID, b"theirs")]).await);
    log.next().await.check("", "theirs");
}

/// A header that comes twice: with the same value, and not.
pub(crate) async fn twice(log: &mut Log, send: impl AsyncFn(&str, Headers<'_>) -> bool) {
    for (other, value) in [(ID, &b"a"[..]), ("X-Correlation-Id", b"a"), (ID, b"b")] {
        assert!(send("twice", &[(ID, b"a"), (other, value)]).await);
        let seen = log.next().await;
        match value {
            b"a" => seen.check("twice", "a"),
            _ => seen.check_fresh("twice"),
        }
    }
}

const ID: &str = "x-correlation-id";

/// Runs a consumer for as long as the test needs it. It starts first.
pub(crate) async fn with_consumer<T>(
    consumer: impl Future<Output = Result>,
    test: impl Future<Output = T>,
) -> T {
    tokio::select! {
        biased;
        ended = consumer => panic!("the consumer ended: {ended:?}"),
        value = test => value,
    }
}
