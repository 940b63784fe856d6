use std::future::poll_fn;

use apalis_amqp::{AmqpBackend, Config};
use correlation_testkit::services::unique;
use correlation_testkit::{TRACE, received, require_service};
use futures_util::SinkExt;
use lapin::options::{
    BasicGetOptions, BasicNackOptions, BasicPublishOptions, ExchangeDeleteOptions,
    QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use crate::job::block_on;

const URL: &str = "amqp://guest:guest@127.0.0.1:5672//";

type Storage = AmqpBackend<Job>;
/// A message property has 255 bytes at most; more than that makes the backend itself panic.
const LONG_VALUES: bool = false;
/// The task ID is the delivery tag.
const TASK_IDS: bool = false;

/// Queues of their own: one of jobs, one of those that wait.
struct Queue(String);

impl Queue {
    #[expect(clippy::unused_async, reason = "as in the other storages")]
    async fn new() -> Option<Self> {
        require_service("RabbitMQ", 5672).then(|| Self(unique("apalis")))
    }

    async fn connect(&self) -> Storage {
        let config = Config::default()
            .queue(self.0.as_str())
            // By default a job that fails is dropped, or goes to a dead-letter exchange.
            .nack_options(BasicNackOptions {
                requeue: true,
                ..BasicNackOptions::default()
            })
            .scheduling(true);
        let mut storage = AmqpBackend::new_from_addr(URL).unwrap().with_config(config);
        // Opens the channel. A worker on a backend without one panics, in apalis-amqp 1.0.0.
        poll_fn(|cx| storage.poll_ready_unpin(cx)).await.unwrap();
        storage
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let queue = self.0.clone();
        block_on(async move {
            let channel = channel().await;
            for queue in [queue.clone(), format!("{queue}_waiting")] {
                let options = QueueDeleteOptions::default();
                channel.queue_delete(queue.into(), options).await.unwrap();
            }
            let exchange = format!("{queue}_dlx").into();
            let options = ExchangeDeleteOptions::default();
            channel.exchange_delete(exchange, options).await.unwrap();
        });
    }
}

async fn channel() -> Channel {
    let connection = Connection::connect(URL, ConnectionProperties::default());
    connection.await.unwrap().create_channel().await.unwrap()
}

checks!();
killed!();

/// The wire format that the README names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_id_is_sent_as_the_message_property() {
    let Some(queue) = Queue::new().await else {
        return;
    };
    let mut storage = queue.connect().await.correlated();
    let context = received(&correlation::Policy::new(), "click-1");
    let pushed = correlation::scope(context, storage.push(Job::done("job")));
    pushed.await.unwrap();

    let channel = channel().await;
    let options = BasicGetOptions { no_ack: true };
    let got = channel.basic_get(queue.0.as_str().into(), options).await;
    let properties = got.unwrap().unwrap().delivery.properties;
    assert_eq!(
        properties.correlation_id().as_ref().unwrap().as_str(),
        "click-1"
    );
    let headers = properties.headers().as_ref().unwrap().inner();
    let trace = &headers["x-apalis-traceparent"];
    assert_eq!(trace, &AMQPValue::LongString(TRACE.into()));
}

/// What only the wire allows: bytes that are no text, and a value of more than 255 bytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_other_producers_send_is_read_or_dropped() {
    let Some(queue) = Queue::new().await else {
        return;
    };
    queue.connect().await.push(Job::done("none")).await.unwrap();
    let channel = channel().await;
    for (name, id, header) in [
        ("valid", "click-1", b"x".to_vec()),
        ("bytes", "\"", vec![0xff, 0xfe, b'\r', b'\n']),
        ("long", "\r\n", vec![b'x'; 300]),
    ] {
        let headers = ["correlation_id", "traceparent", "tracestate"].map(|key| {
            let value = LongString::from(header.clone());
            (
                format!("x-apalis-{key}").into(),
                AMQPValue::LongString(value),
            )
        });
        // apalis-amqp lets a header of that name win over the property.
        let headers = &headers[usize::from(name == "valid")..];
        let headers = FieldTable::from(
            headers
                .iter()
                .cloned()
                .collect::<std::collections::BTreeMap<_, _>>(),
        );
        let properties = BasicProperties::default()
            .with_correlation_id(id.into())
            .with_headers(headers);
        let body = format!(r#"{{"name":"{name}","then":"Done"}}"#);
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish(
            "".into(),
            queue.0.as_str().into(),
            options,
            body.as_bytes(),
            properties,
        );
        sent.await.unwrap().await.unwrap();
    }
    let (probe, mut attempts) = probe();
    let _worker = work(&queue, "worker", &probe).await;
    for _ in 0..4 {
        let seen = attempts.next().await;
        let id = seen.id();
        // Anything else is a new UUID.
        let expected = (seen.name == "valid", seen.name != "valid");
        assert_eq!((id == "click-1", id.len() == 36), expected, "{seen:?}");
    }
}
