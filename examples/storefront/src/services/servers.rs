//! Servers for the store and the queue: PostgreSQL, Redis and RabbitMQ.

use std::future::poll_fn;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use apalis::prelude::{BackendExt, BoxDynError, Task, TaskSink};
use apalis_amqp::AmqpBackend;
use apalis_postgres::PostgresStorage;
use apalis_redis::RedisStorage;
use correlation_apalis::{Correlate as _, Correlated};
use correlation_sqlx::Correlate as _;
use futures_util::Sink;
use log::LevelFilter;
use redis::Client;
use redis::aio::ConnectionManagerConfig;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::jobs::{MailReceipt, Ticks, config, work};
use super::store::{INSERT, UPDATE};
use crate::Failure;

/// The store of the orders, in PostgreSQL.
#[derive(Clone, Debug)]
pub(super) struct Store(PgPool);

impl Store {
    pub(super) async fn open(url: &str) -> Result<Self, Failure> {
        let Some("postgres" | "postgresql") = url.split(':').next() else {
            return Err("allowed is a sqlite: or postgres: URL".into());
        };
        let options = PgConnectOptions::from_str(url)?.log_statements(LevelFilter::Info);
        // This is the only line about correlation. The server's own log has the ID, too.
        let pool = PgPoolOptions::new().correlate("storefront");
        let pool = pool.acquire_timeout(PATIENCE).connect_with(options).await?;
        if sqlx::query(CREATE).execute(&pool).await.is_err() {
            // If two services create it at the same time, one of them gets an error.
            sqlx::query(CREATE).execute(&pool).await?;
        }
        Ok(Self(pool))
    }

    pub(super) async fn insert(&self, cart: i64, total: i64) -> sqlx::Result<i64> {
        let insert = sqlx::query_scalar(INSERT).bind(cart).bind(total);
        insert.fetch_one(&self.0).await
    }

    pub(super) async fn paid(&self, id: i64, receipt: &str) -> sqlx::Result<()> {
        let update = sqlx::query(UPDATE).bind(receipt).bind(id);
        update.execute(&self.0).await.map(drop)
    }
}

/// The queue, on one of the servers.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a process has one of them")]
pub(super) enum Jobs {
    Postgres(Correlated<PostgresStorage<MailReceipt>>),
    Redis(Correlated<RedisStorage<MailReceipt>>),
    Amqp(Correlated<AmqpBackend<MailReceipt>>),
}

impl Jobs {
    pub(super) async fn open(url: &str, queue: &str) -> Result<Self, Failure> {
        Ok(match url.split(':').next() {
            Some("postgres" | "postgresql") => {
                let pool = PgPoolOptions::new().acquire_timeout(PATIENCE);
                let pool = pool.connect(url).await?;
                PostgresStorage::setup(&pool).await?;
                let storage = PostgresStorage::new(&pool);
                let storage = storage.with_config(config!(apalis_postgres, queue));
                Self::Postgres(storage.correlated())
            }
            Some("redis") => {
                // By default, an answer that takes half a second ends the worker.
                let patience = ConnectionManagerConfig::new()
                    .set_response_timeout(Some(PATIENCE))
                    .set_number_of_retries(1);
                let client = Client::open(url)?;
                let connection = client.get_connection_manager_with_config(patience).await?;
                let storage = RedisStorage::new(connection);
                Self::Redis(
                    storage
                        .with_config(config!(apalis_redis, queue))
                        .correlated(),
                )
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

    pub(super) async fn push(self, job: MailReceipt) -> Result<(), BoxDynError> {
        match self {
            Self::Postgres(mut storage) => storage.push(job).await?,
            Self::Redis(mut storage) => storage.push(job).await?,
            Self::Amqp(mut backend) => backend.push(job).await?,
        }
        Ok(())
    }

    pub(super) async fn work(self) -> Result<(), Failure> {
        match self {
            Self::Postgres(storage) => work!(storage.poll_with_strategy(Ticks::new())),
            Self::Redis(storage) => work!(storage.poll_with_strategy(Ticks::new())),
            // RabbitMQ reports new jobs itself.
            Self::Amqp(backend) => work!(backend),
        }
    }
}

/// The time that a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

const CREATE: &str = "CREATE TABLE IF NOT EXISTS storefront_orders (\
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
    cart BIGINT NOT NULL, total BIGINT NOT NULL, receipt TEXT)";
