//! Kafka with rdkafka: the ID is a header of the record.

use std::mem;
use std::panic::catch_unwind;
use std::time::Duration;

use correlation_core::{continue_from, inject_with};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tracing::warn;

use crate::Result;

/// A producer for the Kafka at `servers`, such as `127.0.0.1:9092`.
///
/// # Errors
///
/// If the settings are wrong. Whether Kafka answers shows later.
pub fn producer(servers: &str) -> Result<FutureProducer> {
    Ok(ClientConfig::new()
        .set("bootstrap.servers", servers)
        .create()?)
}

/// A consumer of a topic: one of the group `shipping`.
///
/// # Errors
///
/// If the settings are wrong. Whether Kafka answers shows later.
pub fn consumer(servers: &str, topic: &str) -> Result<StreamConsumer> {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("group.id", "shipping")
        .set("auto.offset.reset", "earliest")
        // Every second the offset is committed up to which records have been handled: which these
        // are is said below, and not taken from what has been received.
        .set("enable.auto.offset.store", "false")
        .set("auto.commit.interval.ms", "1000")
        // So long a consumer that died keeps its partitions.
        .set("session.timeout.ms", "6000")
        .create()?;
    consumer.subscribe(&[topic])?;
    Ok(consumer)
}

/// Sends a record under the ID of the caller.
///
/// # Errors
///
/// If Kafka has not taken the record.
pub async fn produce(producer: &FutureProducer, topic: &str, body: &str) -> Result {
    let mut headers = OwnedHeaders::new();
    inject_with(|key, value| {
        let value = Some(value);
        headers = mem::take(&mut headers).insert(Header { key, value });
    });
    let record = FutureRecord::<(), _>::to(topic)
        .payload(body)
        .headers(headers);
    let sent = producer.send(record, Duration::from_secs(30)).await;
    sent.map_err(|(error, _)| error)?;
    Ok(())
}

/// Handles records, each under the ID that it brings or a new one.
///
/// # Errors
///
/// If a record could not be handled: Kafka cannot take back a single one. The next consumer begins
/// with it, under the same ID. And if librdkafka gives up.
pub async fn consume(consumer: &StreamConsumer, handle: impl AsyncFn(&[u8]) -> Result) -> Result {
    loop {
        let message = match consumer.recv().await {
            Ok(message) => message,
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(error.into()),
            Err(error) => {
                // Such as a broker that does not answer: librdkafka tries again by itself.
                warn!(%error, "Kafka");
                continue;
            }
        };
        let body = message.payload().unwrap_or_default();
        let headers = headers(&message);
        // Keys are case-sensitive.
        let get = |key: &str| headers.iter().find(|(known, _)| *known == key);
        continue_from(|key| Some(get(key)?.1), handle(body)).await?;
        consumer.store_offset_from_message(&message)?;
    }
}

/// The headers of a record that have a value.
fn headers<'a>(message: &'a BorrowedMessage<'_>) -> Vec<(&'a str, &'a [u8])> {
    let headers = message.headers().into_iter();
    let each = headers.flat_map(|headers| {
        // rdkafka panics at a key that is not UTF-8. That would end this consumer and all after
        // it, since the record is still there: so only that header counts as absent.
        (0..headers.count()).filter_map(|index| catch_unwind(|| headers.try_get(index)).ok()?)
    });
    each.filter_map(|header| Some((header.key, header.value?)))
        .collect()
}
