use apalis_postgres::{Config, PostgresStorage};
use sqlx::{Executor, PgPool};

use crate::server;

type Storage = PostgresStorage<Job>;
const LONG_VALUES: bool = true;
const TASK_IDS: bool = true;

/// A database of its own.
struct Queue(String);

impl Queue {
    async fn new() -> Option<Self> {
        if !server::answers("PostgreSQL", 5432) {
            return None;
        }
        let queue = Self(server::unique());
        execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", queue.0)).await;
        execute(&format!("CREATE DATABASE {}", queue.0)).await;
        PostgresStorage::setup(&connect(&queue.0).await)
            .await
            .unwrap();
        Some(queue)
    }

    /// What finds it again in another process.
    fn name(&self) -> String {
        self.0.clone()
    }

    fn named(name: String) -> Self {
        Self(name)
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
        server::block_on(async move { execute(&drop).await });
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
