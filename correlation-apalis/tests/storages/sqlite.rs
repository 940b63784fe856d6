use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use apalis_sqlite::{Config, SqliteStorage};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

type Storage = SqliteStorage<Job>;
const LONG_VALUES: bool = true;
const TASK_IDS: bool = true;

/// A database file of its own.
struct Queue(PathBuf);

impl Queue {
    async fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let file = format!("jobs-{}-{number}.sqlite", std::process::id());
        let queue = Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file));
        queue.remove();
        SqliteStorage::setup(&queue.pool().await).await.unwrap();
        Some(queue)
    }

    /// What finds it again in another process.
    fn name(&self) -> String {
        self.0.display().to_string()
    }

    fn named(name: String) -> Self {
        Self(name.into())
    }

    async fn pool(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new()
            .filename(&self.0)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(crate::job::DEADLINE);
        SqlitePool::connect_with(options).await.unwrap()
    }

    async fn connect(&self) -> Storage {
        let config = Config::default()
            .queue("jobs")
            .heartbeat_interval(Duration::from_millis(100));
        SqliteStorage::new(&self.pool().await).with_config(config)
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut file = self.0.clone().into_os_string();
            file.push(suffix);
            let _ = std::fs::remove_file(file);
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.remove();
    }
}

checks!();
killed!();
