//! The answers of the contract app: ordinary functions that take no ID and know no framework.
//!
//! Each function reads the ambient ID at the moment it needs it. Outside a request it is `none`.

use std::time::Duration;

use correlation_core::{Context, InCurrent, bind};
use futures_util::{Stream, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::CORRELATION_ID;

/// The query of every endpoint, with defaults for missing parts.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Params {
    /// The number of waits of `/sleepy`.
    pub steps: usize,
    /// The length of each of these waits, in milliseconds.
    pub ms: u64,
    /// The number of lines of `/stream`.
    pub chunks: usize,
    /// The number of records that `/log` writes with each logger.
    pub n: usize,
    /// The end of each record of `/log`: the caller's text in the log.
    pub say: String,
    /// The path and query that `/relay` calls at `DOWNSTREAM`.
    pub path: String,
    /// The name of the [`Probe`](crate::probe::Probe) that waits for `/hang` or `/hang-stream`.
    pub name: String,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            steps: 3,
            ms: 5,
            chunks: 3,
            n: 1,
            say: String::new(),
            path: "/id".to_owned(),
            name: String::new(),
        }
    }
}

/// The headers that the handler of `/own` sets on its response: an ID, which must not stay, and
/// exposed headers, which must stay.
pub const OWN_HEADERS: [(&str, &str); 2] = [
    (CORRELATION_ID, "set-by-handler"),
    ("access-control-expose-headers", "x-total"),
];

/// The header that the handler of `/opaque` sets on its response: exposed headers that are not
/// ASCII.
pub const OPAQUE_HEADER: (&str, &str) = ("access-control-expose-headers", "caf\u{e9}");

/// Answers `GET /id` with the ambient ID.
pub fn id() -> String {
    ambient().unwrap_or_else(|| "none".to_owned())
}

/// Answers `GET /inbound` with the source of the ID.
pub fn inbound() -> Value {
    let context = Context::current();
    let context = context.as_ref();
    json!({
        "correlation_id": id(),
        "source": context.map_or_else(|| "none".to_owned(), |context| context.origin().to_string()),
        "untrusted_id": context.and_then(|context| Some(context.untrusted_id()?.to_string())),
        "trace_id": context.and_then(|context| Some(context.trace_id()?.to_string())),
    })
}

/// Answers `GET /sleepy` with the ambient ID after each of `steps` waits.
///
/// Other requests run during the waits, on this thread and on others. If the client disconnects
/// before the end, a record says so.
pub async fn sleepy(steps: usize, ms: u64) -> Vec<String> {
    let mut left = Left(true);
    let mut ids = Vec::new();
    for _ in 0..steps.min(MAX_ITEMS) {
        sleep(Duration::from_millis(ms.min(MAX_MS))).await;
        ids.push(id());
    }
    left.0 = false;
    ids
}

/// Answers `GET /stream` with `chunks` lines.
///
/// Each has the ambient ID at the moment the line is produced. The server polls the body after the
/// handler has returned. If the client disconnects before the end, a record says so.
pub fn stream(chunks: usize) -> impl Stream<Item = String> + Send + 'static {
    let chunks = chunks.min(MAX_ITEMS);
    let left = Left(chunks > 0);
    stream::unfold((0, left), move |(produced, mut left)| async move {
        if produced == chunks {
            return None;
        }
        if produced > 0 {
            sleep(Duration::from_millis(5)).await;
        }
        // A client that has the last line need not ask for more.
        left.0 = produced + 1 < chunks;
        Some((format!("{}\n", id()), (produced + 1, left)))
    })
}

/// Logs in its destructor if the client has disconnected. That record has the ID, too.
struct Left(bool);

impl Drop for Left {
    fn drop(&mut self) {
        if self.0 {
            tracing::info!("the client has left");
        }
    }
}

/// Answers `GET /spawn` with the ambient ID in other tasks and threads.
///
/// # Panics
///
/// If one of them cannot be joined, which happens only in a runtime that shuts down.
pub async fn spawned() -> Value {
    let task = correlation_core::spawn(async { id() });
    let blocking = correlation_core::spawn_blocking(id);
    let (answer, thread) = oneshot::channel();
    std::thread::spawn(bind(move || answer.send(id())));
    let mut join_set = JoinSet::new();
    join_set.spawn(async { id() }.in_current());
    // Without a helper a new task starts with no ID.
    let naked = tokio::spawn(async { ambient() });
    json!({
        "task": task.await.expect("the task ends"),
        "blocking": blocking.await.expect("the blocking task ends"),
        "thread": thread.await.expect("the thread answers"),
        "join_set": join_set.join_all().await.concat(),
        "naked": naked.await.expect("the naked task ends"),
    })
}

/// Answers `GET /log` with the ambient ID, after `n` records through `tracing` and `n` through
/// `log`. Each record ends with `say`.
pub fn log_lines(n: usize, say: &str) -> String {
    for i in 0..n.min(MAX_ITEMS) {
        tracing::info!("tracing line {i}{say}");
        log::info!("log line {i}{say}");
    }
    id()
}

/// Answers `GET /seen` with the lines of the request's `x-correlation-id` as the handler sees them.
pub fn seen(lines: impl IntoIterator<Item = impl AsRef<[u8]>>) -> String {
    let lines = lines.into_iter();
    let lines: Vec<_> = lines
        .map(|line| String::from_utf8_lossy(line.as_ref()).into_owned())
        .collect();
    match lines.is_empty() {
        true => "none".to_owned(),
        false => lines.join(", "),
    }
}

pub(crate) fn ambient() -> Option<String> {
    correlation_core::current().map(String::from)
}

/// The limit of each number in a query. Anybody may call a service, so the query must not decide
/// what a request costs.
const MAX_ITEMS: usize = 10_000;
const MAX_MS: u64 = 10_000;
