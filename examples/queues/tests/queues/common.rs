//! What the tests of all brokers share.

use std::collections::HashMap;
use std::future::pending;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use correlation_core::{Context, Policy, current, inject};
use queues::Result;
use tokio::sync::mpsc;
use uuid::Uuid;

/// How long anything may take until it counts as lost. A test that passes never waits for it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

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

/// Whether the server answers. If not: says so, or panics if `CORRELATION_REQUIRE_SERVICES=1`.
pub(crate) fn ready(server: &str, port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let found = TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok();
    let required =
        std::env::var_os("CORRELATION_REQUIRE_SERVICES").is_some_and(|value| value == "1");
    assert!(
        found || !required,
        "CORRELATION_REQUIRE_SERVICES=1, but no {server} at {address}"
    );
    if !found {
        eprintln!("skipped: no {server} at {address}");
    }
    found
}

/// A name that no other test, and no other run, has.
pub(crate) fn unique(name: &str) -> String {
    format!("correlation-{name}-{}", Uuid::new_v4().simple())
}

/// The context of a request that brought this ID, and a W3C trace context.
pub(crate) fn click(id: &str) -> Context {
    let headers = [("x-correlation-id", id), ("traceparent", TRACE)];
    let lines = || headers.map(|(name, value)| (name, value.as_bytes()));
    Policy::new().receive(lines, None).unwrap()
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
