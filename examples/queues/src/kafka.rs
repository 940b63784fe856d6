//! Kafka with rdkafka: the ID is a header of the record.

use std::{mem, panic::catch_unwind, time::Duration};

use correlation_core::{Extractor, continue_from, inject_with};
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tracing::warn;

use crate::Result;

/// Makes a producer for the Kafka at `servers`, such as `127.0.0.1:9092`.
pub fn producer(servers: &str) -> Result<FutureProducer> {
    let mut config = ClientConfig::new();
    Ok(config.set("bootstrap.servers", servers).create()?)
}

/// Makes a consumer of a topic, in the group `shipping`.
pub fn consumer(servers: &str, topic: &str) -> Result<StreamConsumer> {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("group.id", "shipping")
        .set("auto.offset.reset", "earliest")
        // The offset that is committed each second is stored below, after the record is handled.
        .set("enable.auto.offset.store", "false")
        .set("auto.commit.interval.ms", "1000")
        .set("session.timeout.ms", "6000") // so long a dead consumer keeps its partitions
        .create()?;
    consumer.subscribe(&[topic])?;
    Ok(consumer)
}

/// Sends a record under the ID of the caller.
pub async fn produce(producer: &FutureProducer, topic: &str, body: &str) -> Result {
    let mut headers = OwnedHeaders::new();
    inject_with(|key, value| {
        let value = Some(value);
        headers = mem::take(&mut headers).insert(Header { key, value });
    });
    let record = FutureRecord::<(), _>::to(topic).headers(headers);
    let sent = producer
        .send(record.payload(body), Duration::from_secs(30))
        .await;
    sent.map_err(|(error, _)| error)?;
    Ok(())
}

/// Handles records, each under the ID that it has, or a new one.
///
/// It ends at a record that could not be handled, because Kafka cannot take back a single record.
/// The next consumer begins with that record, under the same ID.
pub async fn consume(consumer: &StreamConsumer, handle: impl AsyncFn(&[u8]) -> Result) -> Result {
    loop {
        let record = match consumer.recv().await {
            Ok(record) => record,
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(error.into()),
            Err(error) => {
                warn!(%error, "Kafka"); // librdkafka tries again by itself
                continue;
            }
        };
        let (headers, body) = (headers(&record), record.payload().unwrap_or_default());
        continue_from(|key| headers.get_all(key), handle(body)).await?;
        consumer.store_offset_from_message(&record)?;
    }
}

/// The headers of a record that have a value.
fn headers<'a>(record: &'a BorrowedMessage<'_>) -> Vec<(&'a str, &'a [u8])> {
    let each = record.headers().into_iter().flat_map(|headers| {
        // rdkafka panics at a key that is not UTF-8. The record stays there, so that would end this
        // consumer and every later one. So only that header counts as absent.
        (0..headers.count()).filter_map(|index| catch_unwind(|| headers.try_get(index)).ok()?)
    });
    each.filter_map(|header| Some((header.key, header.value?)))
        .collect()
}
