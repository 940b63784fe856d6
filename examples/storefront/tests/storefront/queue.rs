//! A queue of its own for each test, on the servers that run here.

use std::thread;

use correlation_testkit::require_service;
use correlation_testkit::services::unique;
use lapin::options::QueueDeleteOptions;
use lapin::{Connection, ConnectionProperties};
use redis::AsyncCommands;
use sqlx::{Connection as _, PgConnection};
use tokio::runtime::Runtime;

/// What a test cannot do.
type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) const POSTGRESQL: &str = "postgres://postgres@127.0.0.1/test";
pub(crate) const RABBITMQ: &str = "amqp://guest:guest@127.0.0.1:5672";
pub(crate) const REDIS: &str = "redis://127.0.0.1";

/// Whether a server is there. Without one there is nothing to test, unless it has to be there.
pub(crate) fn answers(url: &str) -> bool {
    match url {
        POSTGRESQL => require_service("PostgreSQL", 5432),
        RABBITMQ => require_service("RabbitMQ", 5672),
        _ => require_service("Redis", 6379),
    }
}

/// A name that no other run has, whose worker would do the jobs of this one. What is there under
/// this name is deleted when it is dropped.
#[derive(Debug)]
pub(crate) struct Queue {
    url: &'static str,
    name: String,
}

impl Queue {
    pub(crate) fn new(url: &'static str) -> Self {
        let name = unique("storefront");
        Self { url, name }
    }

    /// The variables that make a shop use it.
    pub(crate) fn env(&self) -> [(&str, &str); 2] {
        [("QUEUE_URL", self.url), ("QUEUE", &self.name)]
    }

    async fn delete(&self) -> Result<(), Failure> {
        let name = self.name.as_str();
        match self.url {
            POSTGRESQL => {
                let mut connection = PgConnection::connect(self.url).await?;
                for delete in [
                    "DELETE FROM apalis.jobs WHERE job_type = $1",
                    "DELETE FROM apalis.workers WHERE worker_type = $1",
                ] {
                    let delete = sqlx::query(delete).bind(name);
                    delete.execute(&mut connection).await?;
                }
            }
            RABBITMQ => {
                let options = ConnectionProperties::default();
                let connection = Connection::connect(self.url, options).await?;
                let channel = connection.create_channel().await?;
                let options = QueueDeleteOptions::default();
                channel.queue_delete(name.into(), options).await?;
            }
            _ => {
                let client = redis::Client::open(self.url)?;
                let mut redis = client.get_multiplexed_async_connection().await?;
                let keys: Vec<String> = redis.keys(format!("{name}:*")).await?;
                let () = redis.unlink(keys).await?;
                // What apalis knows of all queues there are.
                let workers = format!("{name}:workers");
                let () = redis.zrem("core:apalis:queues:list", workers).await?;
            }
        }
        Ok(())
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // The test has a runtime of its own, which cannot be blocked.
        let deleted = thread::scope(|threads| {
            let delete = || Runtime::new()?.block_on(self.delete());
            threads.spawn(delete).join()
        });
        // No panic: the test has passed or failed by now, and what stays does no harm.
        if !matches!(deleted, Ok(Ok(()))) {
            eprintln!("the queue {} stays: {deleted:?}", self.name);
        }
    }
}
