//! Kafka: the cluster that librdkafka has for tests, which speaks Kafka's protocol over TCP.

use std::time::Duration;

use correlation_core::scope;
use correlation_testkit::process::DEADLINE;
use queues::kafka::{consume, consumer, produce, producer};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::common::{Headers, click, foreign, handler, twice, with_consumer};
use super::kafka_wire::produce_raw;
use super::restart::{MESSAGES, kill_after, publish};

const TOPIC: &str = "orders";

/// A cluster of its own for each test.
fn cluster() -> (MockCluster<'static, DefaultProducerContext>, String) {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let servers = cluster.bootstrap_servers();
    (cluster, servers)
}

#[tokio::test]
async fn the_id_arrives_and_survives_redelivery() {
    let (_cluster, servers) = cluster();
    let producer = producer(&servers).unwrap();
    produce(&producer, TOPIC, "alone").await.unwrap();
    for (id, body) in [
        ("click-1", "first"),
        ("click-2", "fail"),
        ("click-3", "hang"),
    ] {
        let produce = produce(&producer, TOPIC, body);
        scope(click(id), produce).await.unwrap();
    }

    // The first consumer ends with the message that it cannot handle.
    let one = consumer(&servers, TOPIC).unwrap();
    let (handle, mut log) = handler();
    let ended = consume(&one, &handle).await;
    assert_eq!(ended.unwrap_err().to_string(), "told to fail");
    log.next().await.check_fresh("alone");
    log.next().await.check_click("first", "click-1");
    log.next().await.check_click("fail", "click-2");
    drop(one);

    // The second begins with that one, and is stopped in the middle of the next.
    let two = consumer(&servers, TOPIC).unwrap();
    let test = async {
        log.next().await.check_click("fail", "click-2");
        log.next().await.check_click("hang", "click-3");
    };
    with_consumer(consume(&two, &handle), test).await;
    drop(two);

    let three = consumer(&servers, TOPIC).unwrap();
    let test = async { log.next().await.check_click("hang", "click-3") };
    with_consumer(consume(&three, &handle), test).await;
}

#[tokio::test]
async fn what_others_send() {
    let (_cluster, servers) = cluster();
    let producer = producer(&servers).unwrap();
    let consumer = consumer(&servers, TOPIC).unwrap();
    let (handle, mut log) = handler();
    let test = async {
        let send_raw = async |body: &str, headers: Headers<'_>| {
            produce_raw(&servers, TOPIC, body.as_bytes(), headers).await;
            true
        };
        foreign(&mut log, send_raw).await;
        twice(&mut log, send_raw).await;
        // A header without a value, and a record without a body.
        let (key, value) = ("x-correlation-id", None::<&[u8]>);
        let headers = OwnedHeaders::new().insert(Header { key, value });
        let record = FutureRecord::<(), ()>::to(TOPIC).headers(headers);
        let sent = producer.send(record, Duration::from_secs(30)).await;
        sent.unwrap();
        log.next().await.check_fresh("");
        // A key that no client for Rust would send.
        let bad: (&[u8], &[u8]) = (b"\xff\xfe", b"x");
        let good: (&[u8], &[u8]) = (b"x-correlation-id", b"theirs");
        produce_raw(&servers, TOPIC, b"key", &[bad, good]).await;
        log.next().await.check("key", "theirs");
        produce_raw(&servers, TOPIC, b"key", &[bad]).await;
        log.next().await.check_fresh("key");
    };
    with_consumer(consume(&consumer, &handle), test).await;
}

#[tokio::test]
async fn a_consumer_is_killed() {
    let (_cluster, servers) = cluster();
    let producer = producer(&servers).unwrap();
    let produce = async |body: String| produce(&producer, TOPIC, &body).await;
    publish(0..MESSAGES, produce).await;
    let env = [("KAFKA_SERVERS", &*servers)];
    let (before, again) = kill_after(committed(&servers), "kafka", TOPIC, &env).await;
    assert!(
        again < before,
        "the second began where the first had committed"
    );
}

/// Waits until the consumers have committed something.
async fn committed(servers: &str) {
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("group.id", "shipping")
        .create()
        .unwrap();
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition(TOPIC, 0);
    let committed = || {
        let found = client.committed_offsets(partitions.clone(), DEADLINE);
        found.unwrap().elements()[0].offset()
    };
    let mut again = tokio::time::interval(Duration::from_millis(50));
    let wait = async {
        while !matches!(committed(), Offset::Offset(1..)) {
            again.tick().await;
        }
    };
    let waited = tokio::time::timeout(DEADLINE, wait).await;
    waited.expect("an offset is committed");
}
