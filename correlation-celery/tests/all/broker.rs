//! Sending and receiving with the clients that users have.

use std::collections::BTreeMap;
use std::time::Duration;

use correlation_celery::serde_json::Value;
use correlation_celery::{Message, Task, redis_queues};
use correlation_testkit::process::DEADLINE;
use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use redis::Commands;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Broker {
    Redis,
    RabbitMQ,
}

impl Broker {
    /// Its name, and the port that it listens on.
    pub(crate) const fn server(self) -> (&'static str, u16) {
        match self {
            Self::Redis => ("Redis", 6379),
            Self::RabbitMQ => ("RabbitMQ", 5672),
        }
    }

    pub(crate) const fn url(self) -> &'static str {
        match self {
            Self::Redis => "redis://127.0.0.1:6379/0",
            Self::RabbitMQ => "amqp://guest:guest@127.0.0.1:5672//",
        }
    }

    pub(crate) async fn send(self, task: &Task, queue: &str) {
        match self {
            Self::Redis => {
                let mut client = redis();
                let () = client.lpush(queue, task.redis_envelope(queue)).unwrap();
                // For the case that the test fails and nobody takes it.
                let () = client.expire(queue, 600).unwrap();
            }
            Self::RabbitMQ => publish(task, queue).await,
        }
    }

    pub(crate) async fn receive(self, queue: &str) -> Message {
        let message = match self {
            Self::Redis => Message::from_redis(pop(queue.to_owned()).await),
            Self::RabbitMQ => {
                let (headers, body) = consume(queue).await;
                let headers = headers
                    .into_iter()
                    .map(|(key, value)| (key.as_str(), read(value)));
                Message::from_amqp(headers, body)
            }
        };
        message.unwrap()
    }
}

async fn publish(task: &Task, queue: &str) {
    let headers: BTreeMap<ShortString, AMQPValue> = task
        .amqp_headers(|text| LongString::from(text).into())
        .collect();
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_delivery_mode(2)
        .with_correlation_id(task.id().into())
        .with_headers(headers.into());
    let channel = channel().await;
    declare(&channel, queue).await;
    let options = BasicPublishOptions::default();
    let body = task.body();
    let sent = channel.basic_publish("".into(), queue.into(), options, &body, properties);
    sent.await.unwrap().await.unwrap();
}

async fn consume(queue: &str) -> (FieldTable, Vec<u8>) {
    let channel = channel().await;
    declare(&channel, queue).await;
    let options = BasicConsumeOptions {
        no_ack: true,
        ..BasicConsumeOptions::default()
    };
    let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
    let next = async { consumer.await.unwrap().next().await.unwrap().unwrap() };
    let delivery = tokio::time::timeout(DEADLINE, next)
        .await
        .expect("a message in the queue");
    let headers = delivery.properties.headers().clone().unwrap_or_default();
    (headers, delivery.data)
}

fn read(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::LongString(text) => text.to_string().into(),
        AMQPValue::LongInt(number) => (*number).into(),
        AMQPValue::LongLongInt(number) => (*number).into(),
        _ => Value::Null,
    }
}

async fn channel() -> Channel {
    let connection = Connection::connect(Broker::RabbitMQ.url(), ConnectionProperties::default());
    connection.await.unwrap().create_channel().await.unwrap()
}

async fn declare(channel: &Channel, queue: &str) {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let expires = [("x-expires".into(), AMQPValue::LongInt(600_000))];
    let arguments = BTreeMap::from(expires).into();
    channel
        .queue_declare(queue.into(), options, arguments)
        .await
        .unwrap();
}

async fn pop(queue: String) -> String {
    let popped = tokio::task::spawn_blocking(move || {
        let lists = redis_queues(&queue);
        redis().brpop::<_, Option<(String, String)>>(&lists, DEADLINE.as_secs_f64())
    });
    let popped = popped.await.unwrap().unwrap();
    popped.expect("a message in the list").1
}

fn redis() -> redis::Connection {
    let client = redis::Client::open(Broker::Redis.url()).unwrap();
    let connection = client.get_connection_with_timeout(Duration::from_secs(5));
    connection.unwrap()
}
