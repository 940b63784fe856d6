//! A small client, with only the functions that the demo and the tests need.

use std::net::SocketAddr;

use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// A query.
pub const WHO_AM_I: &str = "{ whoAmI }";

/// A subscription with five results.
pub const COUNTDOWN: &str = "subscription { countdown(from: 5) { left correlationId } }";

/// A socket to `/graphql`.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    upgrade_id: Option<String>,
}

impl Client {
    /// Opens a socket, with these headers in the upgrade request.
    ///
    /// # Errors
    ///
    /// If there is no such server, or it does not upgrade.
    pub async fn connect(
        address: SocketAddr,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let mut request = format!("ws://{address}/graphql").into_client_request()?;
        let name = HeaderValue::from_static("graphql-transport-ws");
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, name);
        for (name, value) in headers {
            let value =
                HeaderValue::try_from(*value).map_err(|error| Error::HttpFormat(error.into()))?;
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
        let stream = TcpStream::connect(address).await?;
        let (socket, response) = client_async(request, stream).await?;
        let upgrade_id = response.headers().get("x-correlation-id");
        let upgrade_id = upgrade_id
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        Ok(Self { socket, upgrade_id })
    }

    /// Returns the ID in the response to the upgrade request.
    #[must_use]
    pub fn upgrade_id(&self) -> Option<&str> {
        self.upgrade_id.as_deref()
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// If the socket is closed.
    pub async fn send(&mut self, message: &Value) -> Result<(), Error> {
        self.socket.send(Message::text(message.to_string())).await
    }

    /// Sends `connection_init`, and waits for the answer.
    ///
    /// # Errors
    ///
    /// If the socket is closed.
    pub async fn init(&mut self, payload: Value) -> Result<(), Error> {
        let init = json!({ "type": "connection_init", "payload": payload });
        self.send(&init).await?;
        self.receive().await.map(|_| ())
    }

    /// Requests the results of an operation.
    ///
    /// # Errors
    ///
    /// If the socket is closed.
    pub async fn subscribe(
        &mut self,
        id: &str,
        query: &str,
        extensions: Value,
    ) -> Result<(), Error> {
        let payload = json!({ "query": query, "extensions": extensions });
        let message = json!({ "type": "subscribe", "id": id, "payload": payload });
        self.send(&message).await
    }

    /// Returns the next message, or `{"code": ..}` if the server closes the socket.
    ///
    /// # Errors
    ///
    /// If the socket is closed.
    pub async fn receive(&mut self) -> Result<Value, Error> {
        loop {
            match self.socket.next().await.ok_or(Error::ConnectionClosed)?? {
                Message::Text(text) => {
                    return Ok(serde_json::from_str(&text).unwrap_or(Value::Null));
                }
                Message::Close(frame) => {
                    let code = frame.map(|frame| u16::from(frame.code));
                    return Ok(json!({ "code": code }));
                }
                _ => {}
            }
        }
    }
}
