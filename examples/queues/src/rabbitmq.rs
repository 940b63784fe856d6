//! RabbitMQ with lapin: the ID is a header of the message, and **not** the property
//! `correlation_id`. By that property, a caller (RPC) finds the answer to its question, and Celery
//! finds its task. Two questions of one click would mix up their answers.

use correlation_core::{continue_from, inject_with};
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicNackOptions, QueueDeclareOptions};
use lapin::types::{LongString, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tracing::warn;

use crate::Result;

/// Opens a channel to the RabbitMQ of this machine, and declares the queue.
pub async fn connect(queue: &str) -> Result<Channel> {
    let url = "amqp://guest:guest@127.0.0.1:5672//";
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let (queue, durable) = (ShortString::try_new(queue)?, QueueDeclareOptions::durable());
    channel
        .queue_declare(queue, durable, Default::default())
        .await?;
    Ok(channel)
}

/// Sends a message under the ID of the caller, with your own properties.
pub async fn produce(
    channel: &Channel,
    queue: &str,
    body: &str,
    properties: BasicProperties,
) -> Result {
    // `with_headers` replaces all headers. So take the existing ones, and add to them.
    let mut headers = properties.headers().clone().unwrap_or_default();
    // A `LongString` may have any length. `ShortString::from` panics above 255 bytes.
    inject_with(|key, value| {
        headers.insert(key.into(), LongString::from(value).into());
    });
    let mut properties = properties.with_headers(headers);
    if properties.delivery_mode().is_none() {
        properties = properties.with_delivery_mode(2); // it survives a restart of RabbitMQ
    }
    let (queue, body) = (ShortString::try_new(queue)?, body.as_bytes());
    let sent = channel.basic_publish("".into(), queue, Default::default(), body, properties);
    sent.await?.await?; // the second wait: RabbitMQ's word, on channels with `confirm_select`
    Ok(())
}

/// Handles the messages of a queue, each under the ID that it has, or a new one. A message that
/// failed goes back to the queue, with its ID. Give the queue a delivery limit.
pub async fn consume(
    channel: &Channel,
    queue: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    channel.basic_qos(100, Default::default()).await?; // without it the whole queue comes at once
    let (queue, options) = (ShortString::try_new(queue)?, Default::default());
    let consumer = channel.basic_consume(queue, "".into(), options, Default::default());
    let mut deliveries = consumer.await?;
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery?;
        let work = async {
            let Err(error) = handle(&delivery.data).await else {
                return delivery.ack(Default::default()).await;
            };
            warn!(%error, "message goes back to the queue");
            let (requeue, multiple) = (true, false);
            delivery.nack(BasicNackOptions { requeue, multiple }).await
        };
        continue_from(|key| header(&delivery, key), work).await?;
    }
    Err("RabbitMQ has cancelled the consumer".into())
}

/// Returns the value of a header. Keys are case-sensitive. A header that is not text is not an ID.
pub(crate) fn header<'a>(delivery: &'a Delivery, key: &str) -> Option<&'a [u8]> {
    let headers = delivery.properties.headers().as_ref()?.inner();
    headers.get(key)?.as_long_string().map(LongString::as_bytes)
}
