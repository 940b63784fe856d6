//! RabbitMQ with lapin: the ID is a header of the message.
//!
//! It is **not** the property `correlation_id`: by that a caller finds the answer to its question
//! (RPC), and Celery its task. Two questions of one click would mix up their answers.

use correlation_core::{continue_from, inject_with};
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicPublishOptions, BasicQosOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tracing::warn;

use crate::Result;

/// A channel to the RabbitMQ of this machine, and the queue.
///
/// # Errors
///
/// If RabbitMQ does not answer, or has such a queue with other settings.
pub async fn connect(queue: &str) -> Result<Channel> {
    let url = "amqp://guest:guest@127.0.0.1:5672//";
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let (queue, options) = (short(queue)?, QueueDeclareOptions::durable());
    channel
        .queue_declare(queue, options, FieldTable::default())
        .await?;
    Ok(channel)
}

/// Sends a message under the ID of the caller.
///
/// # Errors
///
/// If RabbitMQ does not take the message.
pub async fn produce(channel: &Channel, queue: &str, body: &str) -> Result {
    publish(channel, queue, body, BasicProperties::default()).await
}

/// As [`produce`], with properties of your own.
///
/// # Errors
///
/// If RabbitMQ does not take the message.
pub async fn publish(
    channel: &Channel,
    queue: &str,
    body: &str,
    properties: BasicProperties,
) -> Result {
    // `with_headers` replaces all headers: so take those that are there, and add to them.
    let mut headers = properties.headers().clone().unwrap_or_default();
    // A `LongString` may have any length; `ShortString::from` panics above 255 bytes.
    inject_with(|key, value| {
        headers.insert(key.into(), LongString::from(value).into());
    });
    let properties = properties.with_headers(headers);
    let (queue, options) = (short(queue)?, BasicPublishOptions::default());
    let sent = channel.basic_publish("".into(), queue, options, body.as_bytes(), properties);
    // The second wait is for RabbitMQ's word, on channels with `confirm_select`.
    sent.await?.await?;
    Ok(())
}

/// Handles the messages of a queue, each under the ID that it brings or a new one.
///
/// A message is acknowledged when it has been handled. One that failed goes back to the queue,
/// with its ID; give the queue a delivery limit, or it comes for ever.
///
/// # Errors
///
/// If the connection or the queue is lost.
pub async fn consume(
    channel: &Channel,
    queue: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    // So many may be under way; without a limit RabbitMQ sends the whole queue at once.
    channel.basic_qos(100, BasicQosOptions::default()).await?;
    let (queue, options) = (short(queue)?, BasicConsumeOptions::default());
    let mut deliveries = channel
        .basic_consume(queue, "".into(), options, FieldTable::default())
        .await?;
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery?;
        continue_from(|key| header(&delivery, key), async {
            if let Err(error) = handle(&delivery.data).await {
                warn!(%error, "message goes back to the queue");
                let options = BasicNackOptions {
                    requeue: true,
                    ..BasicNackOptions::default()
                };
                return delivery.nack(options).await;
            }
            delivery.ack(BasicAckOptions::default()).await
        })
        .await?;
    }
    Err("RabbitMQ has cancelled the consumer".into())
}

/// The value of a header. Keys are case-sensitive; other types than text are no ID.
pub(crate) fn header<'a>(delivery: &'a Delivery, key: &str) -> Option<&'a [u8]> {
    match delivery.properties.headers().as_ref()?.inner().get(key)? {
        AMQPValue::LongString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

pub(crate) fn short(name: &str) -> Result<ShortString> {
    Ok(ShortString::try_new(name)?)
}
