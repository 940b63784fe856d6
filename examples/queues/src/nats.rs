//! NATS without `JetStream`: the ID is a header of the message.
//!
//! NATS keeps nothing. A subscriber that does not listen when a message is sent never gets it. A
//! message that a consumer could not handle is lost.

use async_nats::{Client, HeaderMap, HeaderValue, Message};
use correlation_core::{continue_from, inject_with};
use futures_util::StreamExt;
use tracing::{info, warn};

use crate::Result;

/// Connects to the NATS of this machine.
pub async fn connect() -> Result<Client> {
    Ok(async_nats::connect("127.0.0.1:4222").await?)
}

/// Sends a message under the ID of the caller.
pub async fn produce(client: &Client, subject: &str, body: &str) -> Result {
    let (subject, body) = (subject.to_owned(), body.to_owned().into());
    Ok(client
        .publish_with_headers(subject, headers(), body)
        .await?)
}

/// Returns the headers that carry the ID of the caller. Add your own headers.
///
/// `insert` panics on a value with a line break. IDs and trace contexts have none. For foreign
/// values, use `value.parse::<HeaderValue>()`.
#[must_use]
pub fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    inject_with(|key, value| headers.insert(key, value));
    headers
}

/// Handles the messages of a subject, each under the ID that it has, or a new one.
pub async fn consume(
    client: &Client,
    subject: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    let mut messages = client.subscribe(subject.to_owned()).await?;
    client.flush().await?;
    info!(subject, "consumer is ready");
    while let Some(message) = messages.next().await {
        let work = async {
            if let Err(error) = handle(&message.payload).await {
                warn!(%error, "message is lost");
            }
        };
        continue_from(|key| values(&message, key), work).await;
    }
    Err("the connection to NATS is closed".into())
}

/// Returns all values of a header. Its key may be in any case, and may come more than once.
pub(crate) fn values<'a>(
    message: &'a Message,
    key: &'static str,
) -> impl Iterator<Item = &'a HeaderValue> {
    let headers = message.headers.iter().flat_map(HeaderMap::iter);
    headers
        .filter(move |(known, _)| AsRef::<str>::as_ref(known).eq_ignore_ascii_case(key))
        .flat_map(|(_, values)| values)
}
