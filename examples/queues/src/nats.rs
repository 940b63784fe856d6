//! NATS without `JetStream`: the ID is a header of the message.
//!
//! NATS keeps nothing: who does not listen when a message is sent never gets it, and what a
//! consumer could not handle is gone.

use async_nats::{Client, HeaderMap};
use correlation_core::{continue_from, inject_with};
use futures_util::StreamExt;
use tracing::{info, warn};

use crate::Result;

/// A connection to the NATS of this machine.
///
/// # Errors
///
/// If NATS does not answer.
pub async fn connect() -> Result<Client> {
    Ok(async_nats::connect("127.0.0.1:4222").await?)
}

/// Sends a message under the ID of the caller.
///
/// # Errors
///
/// If the connection is closed, or the message is too large.
pub async fn produce(client: &Client, subject: &str, body: &str) -> Result {
    client
        .publish_with_headers(subject.to_owned(), headers(), body.to_owned().into())
        .await?;
    Ok(())
}

/// The headers that carry the ID of the caller. Add your own.
///
/// `insert` panics on a value with a line break. IDs and trace contexts have none; with values of
/// others use `value.parse::<HeaderValue>()`.
#[must_use]
pub fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    inject_with(|key, value| headers.insert(key, value));
    headers
}

/// Handles the messages of a subject, each under the ID that it brings or a new one.
///
/// # Errors
///
/// If the connection is closed.
pub async fn consume(
    client: &Client,
    subject: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    let mut messages = client.subscribe(subject.to_owned()).await?;
    client.flush().await?;
    info!(subject, "consumer is ready");
    while let Some(message) = messages.next().await {
        continue_from(|key| message.headers.as_ref()?.get(key), async {
            if let Err(error) = handle(&message.payload).await {
                warn!(%error, "message is lost");
            }
        })
        .await;
    }
    Err("the connection to NATS is closed".into())
}
