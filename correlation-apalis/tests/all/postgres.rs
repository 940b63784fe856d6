use apalis_postgres::{Config, PostgresStorage};
use correlation_testkit::require_service;
use correlation_testkit::services::unique;
use sqlx::{Executor, PgPool};

use crate::job::block_on;

type Storage = PostgresStorage<Job>;
const LONG_VALUES: bool = true;
const TASK_IDS: bool = true;

/// A database of its own.
struct Queue(String);

impl Queue {
    async fn new() -> Option<Self> {
        if !require_service("PostgreSQL", 5432) {
            return None;
        }
        let queue = Self(unique("apalis"));
        execute(&format!("CREATE DATABASE {}", queue.0)).await;
        PostgresStorage::setup(&connect(&queue.0).await)
            .await
            .unwrap();
        Some(queue)
    }

    async fn connect(&self) -> Storage {
        let config = Config::default()
            .queue("jobs")
            .heartbeat_interval(Duration::from_millis(200))
            .missed_heartbeats(10);
        PostgresStorage::new(&connect(&self.0).await).with_config(config)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.0);
        block_on(async move { execute(&drop).await });
    }
}

async fn connect(database: &str) -> PgPool {
    let url = format!("postgres://postgres:root@127.0.0.1:5432/{database}");
    let options = sqlx::postgres::PgPoolOptions::new().max_connections(4);
    options.connect(&url).await.unwrap()
}

async fn execute(sql: &str) {
    let pool = connect("postgres").await;
    pool.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    pool.close().await;
}

checks!();
killed!();
