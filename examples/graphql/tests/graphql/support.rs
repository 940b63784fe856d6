//! Servers on free ports, and what their clients hear.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex};

use correlation_axum::tag;
use graphql_demo::app;
use graphql_demo::client::Client;
use serde_json::Value;
use tokio::net::TcpListener;

/// What was logged, by all tests.
pub(crate) static LINES: Lines = Lines(Mutex::new(Vec::new()));

static LOGGING: LazyLock<()> = LazyLock::new(|| {
    let fmt = tracing_subscriber::fmt().with_ansi(false);
    fmt.with_writer(|| &LINES).map_writer(tag).init();
});

pub(crate) struct Lines(Mutex<Vec<u8>>);

impl Lines {
    /// The lines that have all of these words.
    pub(crate) fn with(&self, words: &[&str]) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines();
        let found = lines.filter(|line| words.iter().all(|word| line.contains(word)));
        found.map(str::to_owned).collect()
    }
}

impl Write for &Lines {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) async fn start() -> SocketAddr {
    LazyLock::force(&LOGGING);
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
    client.subscribe("who", "WhoAmI", extensions).await.unwrap();
    let next = client.receive().await.unwrap();
    assert_eq!(
        (&next["type"], &next["id"]),
        (&"next".into(), &"who".into())
    );
    let complete = client.receive().await.unwrap();
    assert_eq!(complete["type"], "complete");
    seen(&next).to_owned()
}

/// The ID in a `next` message.
pub(crate) fn seen(next: &Value) -> &str {
    next["payload"]["extensions"]["correlationId"]
        .as_str()
        .unwrap()
}

pub(crate) fn is_new(id: &str) -> bool {
    id.len() == 36 && id.bytes().filter(|&byte| byte == b'-').count() == 4
}
