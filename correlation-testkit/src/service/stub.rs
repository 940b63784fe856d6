//! Somebody else's service: it knows nothing of IDs and remembers what it was sent.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::client::{in_time, invalid};
use crate::{CORRELATION_ID, Connection, Response};

/// The server. It answers
///
/// - `/hold` when [`Stub::release`] is called,
/// - `/close` by closing the connection,
/// - `/status/CODE` with that status and [`BODY`],
/// - anything else with 200 and the ID that it was sent.
///
/// Its responses carry an ID of its own, which is nobody else's business.
#[derive(Clone, Debug)]
pub(super) struct Stub {
    addr: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    received: Mutex<Vec<Received>>,
    arrived: Notify,
    released: Notify,
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// Method and target, as in `GET /id`.
    pub(super) line: String,
    message: Response,
}

/// What `/status/CODE` is answered with.
pub(super) const BODY: &str = "{\"error\": \"no such order: n\u{b0} 7\"}\n";

impl Stub {
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let state = Arc::new(State::default());
        let stub = Self { addr, state };
        let serving = stub.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = Connection::accepted(stream);
                let stub = serving.clone();
                // An error is a client that went away.
                tokio::spawn(async move { stub.serve(connection).await.ok() });
            }
        });
        Ok(stub)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Takes what has come since the last time.
    pub(super) fn take(&self) -> Vec<Received> {
        let received = self.state.received.lock();
        std::mem::take(&mut received.unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for a request to `/hold`.
    pub(super) async fn arrived(&self) -> io::Result<()> {
        in_time(async {
            self.state.arrived.notified().await;
            Ok(())
        })
        .await
    }

    /// Answers it.
    pub(super) fn release(&self) {
        self.state.released.notify_one();
    }

    async fn serve(&self, mut connection: Connection) -> io::Result<()> {
        loop {
            let received = Received::read(&mut connection).await?;
            let target = received.line.split(' ').nth(1).unwrap_or_default();
            let (status, body) = match target.strip_prefix("/status/") {
                Some(status) => (status.to_owned(), BODY.to_owned()),
                None => ("200".to_owned(), received.values(CORRELATION_ID).join(", ")),
            };
            let held = target == "/hold";
            let closes = target == "/close";
            let received_by = self.state.received.lock();
            received_by
                .unwrap_or_else(PoisonError::into_inner)
                .push(received);
            if closes {
                return Ok(());
            }
            if held {
                self.state.arrived.notify_one();
                self.state.released.notified().await;
            }
            let len = body.len();
            let head = format!(
                "HTTP/1.1 {status} Whatever\r\n{CORRELATION_ID}: theirs\r\ncontent-length: {len}"
            );
            connection
                .write(format!("{head}\r\n\r\n{body}").as_bytes())
                .await?;
        }
    }
}

impl Received {
    async fn read(connection: &mut Connection) -> io::Result<Self> {
        let line = String::from_utf8_lossy(&connection.read_line().await?).into_owned();
        let line = line
            .strip_suffix(" HTTP/1.1")
            .ok_or_else(|| invalid(format!("request line {line:?}")))?
            .to_owned();
        let mut message = Response {
            status: 200,
            headers: connection.read_headers().await?,
            body: Vec::new(),
        };
        let has_body = ["content-length", "transfer-encoding"];
        if has_body.iter().any(|name| !message.values(name).is_empty()) {
            message.body = connection.read_body(&message).await?;
        }
        Ok(Self { line, message })
    }

    /// A request as it would have come.
    #[cfg(test)]
    pub(super) fn of(line: &str, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter();
        let message = Response {
            status: 200,
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: Vec::new(),
        };
        Self {
            line: line.to_owned(),
            message,
        }
    }

    /// All values of a header.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        let values = self.message.values(name);
        values.into_iter().map(Into::into).collect()
    }

    /// Whether some header or the request line has this text in it.
    pub(super) fn mentions(&self, text: &str) -> bool {
        let mut values = self.message.headers.iter().map(|(_, value)| value);
        self.line.contains(text)
            || values.any(|value| String::from_utf8_lossy(value).contains(text))
    }

    pub(super) fn json(&self) -> Value {
        self.message.json()
    }
}
