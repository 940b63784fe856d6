//! The queue between orders and the worker: SQLite in a file, PostgreSQL, Redis or RabbitMQ.

use std::future::poll_fn;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{env, fmt, io, process};

use apalis::layers::WorkerBuilderExt;
use apalis::layers::retry::RetryPolicy;
use apalis::prelude::{
    BackendExt, BoxDynError, PollSnapshot, PollStrategy, Task, TaskSink, WorkerBuilder,
};
use apalis_amqp::AmqpBackend;
use apalis_postgres::PostgresStorage;
use apalis_redis::RedisStorage;
use apalis_sqlite::SqliteStorage;
use correlation_apalis::{Correlate, Correlated};
use futures_util::Sink;
use redis::Client;
use redis::aio::ConnectionManagerConfig;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::store::PATIENCE;
use super::{cannot_use, lifeline, variable, worker};
use crate::Failure;

/// A job: tells the customer by mail what was paid.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct MailReceipt {
    pub(super) order: u32,
    pub(super) receipt: String,
}

/// The queue of the environment.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a process has one of them")]
pub(super) enum Jobs {
    Sqlite(Correlated<SqliteStorage<MailReceipt>>),
    Postgres(Correlated<PostgresStorage<MailReceipt>>),
    Redis(Correlated<RedisStorage<MailReceipt>>),
    Amqp(Correlated<AmqpBackend<MailReceipt>>),
}

impl Jobs {
    /// Opens the queue of the environment, and creates its tables if need be.
    pub(super) async fn from_env() -> Result<Self, Failure> {
        let url = variable(QUEUE_URL)?;
        let jobs = Self::open(&url, &queue()?).await;
        jobs.map_err(|error| cannot_use(QUEUE_URL, &url, &error))
    }

    /// `.correlated()` is all it takes, for whoever pushes and for whoever works.
    async fn open(url: &str, queue: &str) -> Result<Self, Failure> {
        macro_rules! config {
            ($storage:ident) => {
                $storage::Config::default()
                    .queue(queue)
                    .heartbeat_interval(HEARTBEAT)
                    .missed_heartbeats(MISSED)
            };
        }
        Ok(match url.split(':').next() {
            Some("sqlite") => {
                let pool = SqlitePool::connect_with(SqliteConnectOptions::from_str(url)?).await?;
                let file: String = sqlx::query_scalar(FILE).fetch_one(&pool).await?;
                if file.is_empty() {
                    return Err("allowed is a file: the worker is another process".into());
                }
                SqliteStorage::setup(&pool).await?;
                let storage = SqliteStorage::new(&pool).with_config(config!(apalis_sqlite));
                Self::Sqlite(storage.correlated())
            }
            Some("postgres" | "postgresql") => {
                let pool = PgPoolOptions::new().acquire_timeout(PATIENCE);
                let pool = pool.connect(url).await?;
                PostgresStorage::setup(&pool).await?;
                let storage = PostgresStorage::new(&pool).with_config(config!(apalis_postgres));
                Self::Postgres(storage.correlated())
            }
            Some("redis") => {
                // By default an answer that takes half a second ends the worker.
                let patience = ConnectionManagerConfig::new()
                    .set_response_timeout(Some(PATIENCE))
                    .set_number_of_retries(1);
                let client = Client::open(url)?;
                let connection = client.get_connection_manager_with_config(patience).await?;
                let storage = RedisStorage::new(connection).with_config(config!(apalis_redis));
                Self::Redis(storage.correlated())
            }
            Some("amqp") => {
                let config = apalis_amqp::Config::default().queue(queue);
                let backend = AmqpBackend::new_from_addr(url)?;
                let mut backend = backend.with_config(config).correlated();
                // apalis-amqp 1.0.0 has to declare its queue before it can consume from it.
                poll_fn(|cx| Sink::<Task<Vec<u8>>>::poll_ready(Pin::new(&mut backend), cx)).await?;
                Self::Amqp(backend)
            }
            _ => return Err("allowed is a sqlite:, postgres:, redis: or amqp: URL".into()),
        })
    }

    /// Puts a job on the queue. Nothing here says whose it is.
    pub(super) async fn push(&self, job: MailReceipt) -> Result<(), BoxDynError> {
        match self.clone() {
            Self::Sqlite(mut storage) => storage.push(job).await?,
            Self::Postgres(mut storage) => storage.push(job).await?,
            Self::Redis(mut storage) => storage.push(job).await?,
            Self::Amqp(mut backend) => backend.push(job).await?,
        }
        Ok(())
    }

    /// Does jobs until this process is to end.
    pub(super) async fn work(self) -> Result<(), Failure> {
        // No two workers at a time may have the same name.
        let name = format!("storefront-worker-{}", process::id());
        let until = async {
            lifeline::ended().await;
            Ok::<(), io::Error>(())
        };
        let worker = WorkerBuilder::new(name.as_str());
        macro_rules! run {
            ($storage:expr) => {
                worker
                    .backend($storage)
                    .retry(RetryPolicy::retries(2))
                    .build(worker::mail_receipt)
                    .run_until(until)
                    .await
            };
        }
        let ended = match self {
            Self::Sqlite(storage) => run!(storage.poll_with_strategy(Ticks::new())),
            Self::Postgres(storage) => run!(storage.poll_with_strategy(Ticks::new())),
            Self::Redis(storage) => run!(storage.poll_with_strategy(Ticks::new())),
            // RabbitMQ says itself when there is something new.
            Self::Amqp(backend) => run!(backend),
        };
        ended.map_err(|error| error.to_string().into())
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jobs")
    }
}

/// The name of the queue: two shops on one server do each other's jobs if it is the same.
fn queue() -> Result<String, Failure> {
    let Some(name) = env::var_os(QUEUE) else {
        return Ok("storefront".to_owned());
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let valid = |name: &&str| (1..=64).contains(&name.len()) && name.chars().all(plain);
    let valid = name.to_str().filter(valid);
    let valid = valid.ok_or("allowed is 1 to 64 of A-Z a-z 0-9 - _ .");
    Ok(valid
        .map_err(|why| format!("invalid {QUEUE}: {why}"))?
        .to_owned())
}

pub(crate) const QUEUE_URL: &str = "QUEUE_URL";
const QUEUE: &str = "QUEUE";

/// The file of a SQLite database; nothing if it is in memory.
const FILE: &str = "SELECT file FROM pragma_database_list WHERE name = 'main'";

/// A worker that gives no sign of life for so long is dead: its jobs are done by others. (RabbitMQ
/// sees by itself that it is gone.)
const HEARTBEAT: Duration = Duration::from_secs(1);
const MISSED: usize = 5;

/// Looks at a storage every now and then, if it does not say when there is something new.
///
/// apalis-core 1.0.0 has an interval of its own, which now and then sleeps for good: when it
/// fires, it waits for nothing until it is asked again.
struct Ticks(Interval);

impl Ticks {
    fn new() -> Self {
        let mut interval = interval(Duration::from_millis(50));
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(interval)
    }
}

impl PollStrategy for Ticks {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        while self.0.poll_tick(cx).is_ready() {}
        Poll::Pending
    }
}
