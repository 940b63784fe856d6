use apalis_sqlite::{Config, SqliteStorage};
use correlation_testkit::process::DEADLINE;
use correlation_testkit::services::unique;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

type Storage = SqliteStorage<Job>;
const LONG_VALUES: bool = true;
const TASK_IDS: bool = true;

/// The path of a database file of its own.
struct Queue(String);

impl Queue {
    async fn new() -> Option<Self> {
        let directory = env!("CARGO_TARGET_TMPDIR");
        let queue = Self(format!("{directory}/{}.sqlite", unique("apalis")));
        SqliteStorage::setup(&queue.pool().await).await.unwrap();
        Some(queue)
    }

    async fn pool(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new()
            .filename(&self.0)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(DEADLINE);
        SqlitePool::connect_with(options).await.unwrap()
    }

    async fn connect(&self) -> Storage {
        let config = Config::default()
            .queue("jobs")
            .heartbeat_interval(Duration::from_millis(100));
        SqliteStorage::new(&self.pool().await).with_config(config)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0));
        }
    }
}

checks!();
killed!();
