//! The queue between orders and the worker: SQLite in a file, PostgreSQL, Redis or RabbitMQ.

use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{env, fmt};

use apalis::prelude::{BackendExt, BoxDynError, PollSnapshot, PollStrategy, TaskSink};
use apalis_sqlite::SqliteStorage;
use correlation_apalis::{Correlate, Correlated};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{cannot_use, servers, variable};
use crate::Failure;

/// A job: sends the customer a receipt by mail.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct MailReceipt {
    pub(super) order: u32,
    pub(super) receipt: String,
    /// The customer of this card has the mailbox.
    pub(super) card: String,
}

/// The queue that the environment names.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a process has one of them")]
pub(super) enum Jobs {
    Sqlite(Correlated<SqliteStorage<MailReceipt>>),
    Server(servers::Jobs),
}

impl Jobs {
    /// Opens the queue that the environment names, and creates its tables if necessary.
    pub(super) async fn from_env() -> Result<Self, Failure> {
        let url = variable(QUEUE_URL)?;
        let jobs = Self::open(&url, &queue()?).await;
        jobs.map_err(|error| cannot_use(QUEUE_URL, &url, &error))
    }

    /// `.correlated()` is enough, for the code that pushes and for the worker.
    async fn open(url: &str, queue: &str) -> Result<Self, Failure> {
        if !url.starts_with("sqlite:") {
            return Ok(Self::Server(servers::Jobs::open(url, queue).await?));
        }
        let pool = SqlitePool::connect_with(SqliteConnectOptions::from_str(url)?).await?;
        let file: String = sqlx::query_scalar(FILE).fetch_one(&pool).await?;
        if file.is_empty() {
            return Err("allowed is a file: the worker is another process".into());
        }
        SqliteStorage::setup(&pool).await?;
        let storage = SqliteStorage::new(&pool).with_config(config!(apalis_sqlite, queue));
        Ok(Self::Sqlite(storage.correlated()))
    }

    /// Puts a job on the queue. No code here names its ID.
    pub(super) async fn push(&self, job: MailReceipt) -> Result<(), BoxDynError> {
        match self.clone() {
            Self::Sqlite(mut storage) => Ok(storage.push(job).await?),
            Self::Server(jobs) => jobs.push(job).await,
        }
    }

    /// Runs jobs until this process has to end.
    pub(super) async fn work(self) -> Result<(), Failure> {
        match self {
            Self::Sqlite(storage) => work!(storage.poll_with_strategy(Ticks::new())),
            Self::Server(jobs) => jobs.work().await,
        }
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jobs")
    }
}

/// Configures how a worker of a storage shows that it is alive. A worker that gives no sign for
/// this long is dead, and others run its jobs. (RabbitMQ notices a lost worker by itself.)
macro_rules! config {
    ($storage:ident, $queue:expr) => {
        $storage::Config::default()
            .queue($queue)
            .heartbeat_interval(std::time::Duration::from_secs(1))
            .missed_heartbeats(5)
    };
}
pub(super) use config;

/// Runs the jobs of a backend until this process has to end. Each backend is a separate type.
macro_rules! work {
    ($backend:expr) => {{
        use apalis::layers::{WorkerBuilderExt, retry::RetryPolicy};
        // Two workers at the same time must not have the same name.
        let name = format!("storefront-worker-{}", std::process::id());
        let until = async {
            $crate::services::lifeline::ended().await;
            Ok::<(), std::io::Error>(())
        };
        let worker = apalis::prelude::WorkerBuilder::new(name.as_str())
            .backend($backend)
            .retry(RetryPolicy::retries(2))
            .build($crate::services::worker::mail_receipt);
        let ended = worker.run_until(until).await;
        ended.map_err(|error| error.to_string().into())
    }};
}
pub(super) use work;

/// Returns the name of the queue. Two shops on one server with the same name run each other's jobs.
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

/// Selects the file of a SQLite database. It is empty if the database is in memory.
const FILE: &str = "SELECT file FROM pragma_database_list WHERE name = 'main'";

/// Polls a storage at intervals, if it does not say when there is a new job.
///
/// apalis-core 1.0.0 has its own interval, which sometimes sleeps forever: when it fires, it waits
/// for nothing until it is polled again.
pub(super) struct Ticks(Interval);

impl Ticks {
    pub(super) fn new() -> Self {
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
