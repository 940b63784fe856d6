//! Queues that nobody else has, and that are gone afterwards.

use std::process::Command;

use correlation_testkit::services::unique;
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use redis::AsyncCommands;

#[derive(Clone, Copy)]
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

    const fn url(self) -> &'static str {
        match self {
            Self::Redis => "redis://127.0.0.1:6379/0",
            Self::RabbitMQ => "amqp://guest:guest@127.0.0.1:5672//",
        }
    }
}

pub(crate) struct Queues {
    broker: Broker,
    python: String,
    rust: String,
}

impl Queues {
    pub(crate) fn new(broker: Broker) -> Self {
        let (python, rust) = (unique("python"), unique("rust"));
        Self {
            broker,
            python,
            rust,
        }
    }

    /// A process of the example that uses them.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("BROKER", self.broker.url())
            .env("QUEUE", &self.python)
            .env("RUST_QUEUE", &self.rust)
            .env("LISTEN", "127.0.0.1:0")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // Python's times say no zone.
            .env("TZ", "UTC");
        command
    }

    pub(crate) async fn delete(self) {
        match self.broker {
            Broker::Redis => {
                let client = redis::Client::open(self.broker.url()).unwrap();
                let mut connection = client.get_multiplexed_async_connection().await.unwrap();
                for queue in [self.python, self.rust] {
                    // What Celery notes of each queue, by its version.
                    let notes = ["binding", "binding_permanent"];
                    let notes = notes.map(|kind| format!("_kombu.{kind}.{queue}"));
                    let () = connection.del(&notes).await.unwrap();
                    let () = connection.del(queue).await.unwrap();
                }
            }
            Broker::RabbitMQ => {
                let properties = ConnectionProperties::default();
                let connection = Connection::connect(self.broker.url(), properties).await;
                let channel = connection.unwrap().create_channel().await.unwrap();
                for queue in [self.python, self.rust] {
                    let (name, options) = (queue.as_str().into(), QueueDeleteOptions::default());
                    channel.queue_delete(name, options).await.unwrap();
                    // Celery makes one of the same name for each queue.
                    let (name, options) = (queue.into(), ExchangeDeleteOptions::default());
                    channel.exchange_delete(name, options).await.unwrap();
                }
            }
        }
    }
}
