//! A queue of its own for each test, on the servers that run here.

use std::net::TcpStream;
use std::thread;

use lapin::options::QueueDeleteOptions;
use lapin::{Connection, ConnectionProperties};
use redis::AsyncCommands;
use sqlx::{Connection as _, PgConnection};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::shop::Failure;

pub(crate) const POSTGRESQL: &str = "postgres://postgres@127.0.0.1/test";
pub(crate) const RABBITMQ: &str = "amqp://guest:guest@127.0.0.1:5672";
pub(crate) const REDIS: &str = "redis://127.0.0.1";

/// Whether a server is there. Without one there is nothing to test, unless it has to be there.
pub(crate) fn answers(url: &str) -> bool {
    let (name, addr) = match url {
        POSTGRESQL => ("PostgreSQL", "127.0.0.1:5432"),
        RABBITMQ => ("RabbitMQ", "127.0.0.1:5672"),
        _ => ("Redis", "127.0.0.1:6379"),
    };
    let answers = TcpStream::connect(addr).is_ok();
    if !answers {
        let required = std::env::var_os("CORRELATION_REQUIRE_SERVICES").is_some_and(|v| v == "1");
        assert!(!required, "no {name} at {addr}");
        println!("skipped: no {name} at {addr}");
    }
    answers
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
        let name = format!("storefront-test-{}", Uuid::new_v4().simple());
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
