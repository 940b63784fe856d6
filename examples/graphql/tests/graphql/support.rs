//! Servers on free ports, and what their clients hear.

use std::net::SocketAddr;
use std::sync::LazyLock;

use correlation_axum::correlation::tag;
use correlation_testkit::Capture;
use graphql_demo::app;
use graphql_demo::client::{Client, WHO_AM_I};
use serde_json::Value;
use tokio::net::TcpListener;

/// What was logged, by all tests.
pub(crate) static LINES: LazyLock<Capture> = LazyLock::new(|| {
    let lines = Capture::default();
    let fmt = tracing_subscriber::fmt().with_ansi(false);
    fmt.with_writer(lines.clone()).map_writer(tag).init();
    lines
});

pub(crate) async fn start() -> SocketAddr {
    LazyLock::force(&LINES);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app()).await });
    address
}

/// A connection with this ID, ready for operations.
pub(crate) async fn connected(id: &str) -> Client {
    let address = start().await;
    let headers = [("x-correlation-id", id)];
    let mut client = Client::connect(address, &headers).await.unwrap();
    assert_eq!(client.upgrade_id(), Some(id));
    client.init(Value::Null).await.unwrap();
    client
}

/// The ID that the resolver of one operation saw.
pub(crate) async fn who_am_i(client: &mut Client, extensions: Value) -> String {
    client.subscribe("who", WHO_AM_I, extensions).await.unwrap();
    let next = client.receive().await.unwrap();
    assert_eq!(next["type"], "next", "{next}");
    assert_eq!(next["id"], "who");
    let complete = client.receive().await.unwrap();
    assert_eq!(complete["type"], "complete");
    seen(&next).to_owned()
}

/// The ID in a `next` message: what the resolver saw, and what the client is told to quote.
pub(crate) fn seen(next: &Value) -> &str {
    let (data, told) = (&next["payload"]["data"], &next["payload"]["extensions"]);
    let seen = data["whoAmI"].as_str();
    let seen = seen
        .or(data["countdown"]["correlationId"].as_str())
        .unwrap();
    assert_eq!(told["correlationId"], seen, "{next}");
    seen
}

pub(crate) fn is_new(id: &str) -> bool {
    id.len() == 36 && id.bytes().filter(|&byte| byte == b'-').count() == 4
}
