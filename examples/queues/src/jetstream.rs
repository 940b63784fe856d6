//! NATS `JetStream`: the ID is a header of the message, and stays there until the message is
//! acknowledged.

use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::{Config, RetentionPolicy};
use async_nats::jetstream::{self, AckKind, Context};
use correlation_core::continue_from;
use futures_util::StreamExt;
use tracing::warn;

use crate::{Result, nats};

/// Connects to the NATS of this machine, and makes the stream `queue` of the subject `queue`.
pub async fn connect(queue: &str) -> Result<Context> {
    let jetstream = jetstream::new(nats::connect().await?);
    let config = Config {
        name: queue.to_owned(),
        subjects: vec![queue.to_owned()],
        retention: RetentionPolicy::WorkQueue,
        ..Config::default()
    };
    jetstream.get_or_create_stream(config).await?;
    Ok(jetstream)
}

/// Sends a message under the ID of the caller.
pub async fn produce(jetstream: &Context, queue: &str, body: &str) -> Result {
    let (queue, body) = (queue.to_owned(), body.to_owned().into());
    // The same headers as without JetStream.
    let sent = jetstream.publish_with_headers(queue, nats::headers(), body);
    sent.await?.await?; // the second wait: JetStream has stored the message
    Ok(())
}

/// Handles the messages of a stream, each under the ID that it has, or a new one.
///
/// A message is delivered again with the same headers if it failed or its consumer died. Limit that
/// with `max_deliver`.
pub async fn consume(
    jetstream: &Context,
    queue: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    let config = pull::Config {
        durable_name: Some("shipping".to_owned()),
        ack_wait: ACK_WAIT,
        max_ack_pending: 100,
        ..pull::Config::default()
    };
    let stream = jetstream.get_stream(queue).await?;
    let consumer = stream.get_or_create_consumer("shipping", config).await?;
    let mut messages = consumer.messages().await?;
    while let Some(message) = messages.next().await {
        let message = message?;
        let work = async {
            let Err(error) = handle(&message.payload).await else {
                return message.ack().await;
            };
            warn!(%error, "message will come again");
            message.ack_with(AckKind::Nak(None)).await
        };
        continue_from(|key| nats::values(&message, key), work).await?;
    }
    Err("the connection to NATS is closed".into())
}

/// A message that is not acknowledged for this long is delivered again. The time must be longer
/// than the work on all messages that a consumer may hold.
const ACK_WAIT: Duration = Duration::from_secs(5);
