//! Redis or `RabbitMQ`, by the URL. Each of the two needs a few separate lines.

use std::collections::BTreeMap;
use std::error::Error;

use correlation_celery::serde_json::Value;
use correlation_celery::{InvalidMessage, Message, Task, redis_queues};
use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig, Client};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Clone)]
pub(crate) enum Broker {
    Redis(Client, MultiplexedConnection),
    RabbitMQ(Channel),
}

impl Broker {
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        if url.starts_with("amqp://") {
            let connection = Connection::connect(url, ConnectionProperties::default()).await?;
            return Ok(Self::RabbitMQ(connection.create_channel().await?));
        }
        let client = Client::open(url)?;
        let connection = client.get_multiplexed_async_connection().await?;
        Ok(Self::Redis(client, connection))
    }

    pub(crate) async fn send(&self, task: &Task, queue: &str) -> Result<()> {
        match self {
            Self::Redis(_, connection) => {
                let mut connection = connection.clone();
                let () = connection.lpush(queue, task.redis_envelope(queue)).await?;
            }
            Self::RabbitMQ(channel) => publish(channel, task, queue).await?,
        }
        Ok(())
    }

    pub(crate) async fn consume(&self, queue: &str) -> Result<Deliveries> {
        Ok(match self {
            Self::Redis(client, _) => {
                // Waiting for a message may take forever, and blocks a connection.
                let config = AsyncConnectionConfig::new().set_response_timeout(None);
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                Deliveries::Redis(connection.await?, redis_queues(queue))
            }
            Self::RabbitMQ(channel) => {
                declare(channel, queue).await?;
                let options = BasicConsumeOptions::default();
                let none = FieldTable::default();
                let consumer = channel.basic_consume(queue.into(), "".into(), options, none);
                Deliveries::RabbitMQ(consumer.await?)
            }
        })
    }
}

pub(crate) enum Deliveries {
    /// There is one list for each priority.
    Redis(MultiplexedConnection, [String; 4]),
    RabbitMQ(Consumer),
}

impl Deliveries {
    /// Returns the next message. The outer error is about the broker, and the inner one about the
    /// message.
    pub(crate) async fn next(&mut self) -> Result<std::result::Result<Message, InvalidMessage>> {
        match self {
            Self::Redis(connection, lists) => {
                let (_, envelope): (String, Vec<u8>) = connection.brpop(&*lists, 0.0).await?;
                Ok(Message::from_redis(envelope))
            }
            Self::RabbitMQ(consumer) => {
                let delivery = consumer
                    .next()
                    .await
                    .ok_or("the consumer was cancelled")??;
                delivery.ack(BasicAckOptions::default()).await?;
                let headers = delivery.properties.headers().clone().unwrap_or_default();
                let headers = headers
                    .into_iter()
                    .map(|(name, value)| (name.as_str(), read(value)));
                Ok(Message::from_amqp(headers, &delivery.data))
            }
        }
    }
}

async fn publish(channel: &Channel, task: &Task, queue: &str) -> Result<()> {
    let headers: BTreeMap<ShortString, AMQPValue> = task
        .amqp_headers(|text| LongString::from(text).into())
        .collect();
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_delivery_mode(2)
        // This is not the correlation ID: Celery finds the result by it.
        .with_correlation_id(task.id().into())
        .with_headers(headers.into());
    declare(channel, queue).await?;
    let (options, body) = (BasicPublishOptions::default(), task.body());
    let sent = channel.basic_publish("".into(), queue.into(), options, &body, properties);
    sent.await?.await?;
    Ok(())
}

/// Declares the queue as Celery does, because `RabbitMQ` refuses a queue that is declared in two
/// ways.
async fn declare(channel: &Channel, queue: &str) -> Result<()> {
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let declared = channel.queue_declare(queue.into(), options, FieldTable::default());
    declared.await?;
    Ok(())
}

/// Converts a header of Celery from AMQP. Lists and tables are left out, because this worker needs
/// none.
fn read(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::LongString(text) => text.to_string().into(),
        AMQPValue::LongInt(number) => (*number).into(),
        AMQPValue::LongLongInt(number) => (*number).into(),
        _ => Value::Null,
    }
}
