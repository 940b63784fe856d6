//! What the contract app answers: ordinary functions that take no ID and know no framework.
//!
//! Each function reads the ambient ID at the moment it needs it. Outside a request that is `none`.

use std::time::Duration;

use correlation_core::{Context, InCurrent, bind};
use futures_util::{Stream, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::CORRELATION_ID;

/// The query of every endpoint, with the values that count where a part is missing.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Params {
    /// How many waits `/sleepy` makes.
    pub steps: usize,
    /// How many milliseconds each of them takes.
    pub ms: u64,
    /// How many lines `/stream` has.
    pub chunks: usize,
    /// How many records `/log` writes with each logger.
    pub n: usize,
    /// What each record of `/log` ends with: the caller's text in the log.
    pub say: String,
    /// What `/relay` calls: path and query below `DOWNSTREAM`.
    pub path: String,
    /// Which [`Probe`](crate::probe::Probe) waits for `/hang` or `/hang-stream`.
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

/// What the handler of `/own` sets on its response: an ID, which must not stay, and exposed
/// headers, which must.
pub const OWN_HEADERS: [(&str, &str); 2] = [
    (CORRELATION_ID, "set-by-handler"),
    ("access-control-expose-headers", "x-total"),
];

/// What the handler of `/opaque` sets on its response: an exposed header that is not ASCII.
pub const OPAQUE_HEADER: (&str, &str) = ("access-control-expose-headers", "caf\u{e9}");

/// `GET /id`: the ambient ID.
pub fn id() -> String {
    ambient().unwrap_or_else(|| "none".to_owned())
}

/// `GET /inbound`: where the ID came from.
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

/// `GET /sleepy`: the ambient ID after each of `steps` waits. Other requests run meanwhile, on
/// this thread and on others. A record says so if the client leaves before the end.
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

/// `GET /stream`: `chunks` lines, each with the ambient ID at the moment the line is produced. The
/// server polls the body after the handler has returned. A record says so if the client leaves
/// before the end.
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
        // Who has the last line need not ask for more.
        left.0 = produced + 1 < chunks;
        Some((format!("{}\n", id()), (produced + 1, left)))
    })
}

/// Says at its end whether the client has left: what a destructor writes has the ID, too.
struct Left(bool);

impl Drop for Left {
    fn drop(&mut self) {
        if self.0 {
            tracing::info!("the client has left");
        }
    }
}

/// `GET /spawn`: the ambient ID as read in other tasks and threads.
///
/// # Panics
///
/// If one of them cannot be waited for, which only a runtime that shuts down can cause.
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

/// `GET /log`: `n` records through `tracing` and `n` through `log`, each with `say` at its end;
/// answers with the ambient ID.
pub fn log_lines(n: usize, say: &str) -> String {
    for i in 0..n.min(MAX_ITEMS) {
        tracing::info!("tracing line {i}{say}");
        log::info!("log line {i}{say}");
    }
    id()
}

/// `GET /seen`: the lines of the request's `x-correlation-id` as the handler sees them.
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

/// Anybody may call a service: the query does not decide what a request costs.
const MAX_ITEMS: usize = 10_000;
const MAX_MS: u64 = 10_000;
