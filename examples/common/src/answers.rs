//! What the endpoints answer: ordinary functions that take no ID and know no framework.
//!
//! Each reads the ambient ID at the moment it needs it. Outside any request that is `none`.

use std::time::Duration;

use correlation_core::{Context, InCurrent, bind};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// `GET /id`: the ambient ID.
pub fn id() -> String {
    ambient().unwrap_or_else(|| "none".to_owned())
}

/// `GET /inbound`: where the ID came from.
pub fn inbound() -> Inbound {
    let context = Context::current();
    let context = context.as_ref();
    Inbound {
        correlation_id: id(),
        source: context.map_or_else(|| "none".to_owned(), |context| context.source().to_string()),
        upstream_id: context.and_then(|context| Some(context.upstream_id()?.to_string())),
        trace_id: context.and_then(|context| Some(context.trace_id()?.to_string())),
    }
}

/// The JSON object of `GET /inbound`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Inbound {
    /// The ambient ID.
    pub correlation_id: String,
    /// Which header it was taken from, or `generated`.
    pub source: String,
    /// The ID that the caller sent and the policy did not trust.
    pub upstream_id: Option<String>,
    /// The trace-id of the caller's W3C trace context.
    pub trace_id: Option<String>,
}

/// `GET /sleepy`: the ambient ID after each of `steps` waits. Other requests run meanwhile, on
/// this thread and on others.
pub async fn sleepy(steps: usize, ms: u64) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..steps.min(MAX_ITEMS) {
        sleep(Duration::from_millis(ms.min(MAX_MS))).await;
        ids.push(id());
    }
    ids
}

/// Query of `GET /sleepy`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct SleepyQuery {
    /// How many waits.
    pub steps: usize,
    /// Milliseconds of each.
    pub ms: u64,
}

impl Default for SleepyQuery {
    fn default() -> Self {
        Self { steps: 3, ms: 5 }
    }
}

/// `GET /stream`: `chunks` lines, each the ambient ID at the moment the chunk is produced. That
/// is after the handler has returned: the server polls the body.
pub fn stream(chunks: usize) -> impl Stream<Item = String> + Send + 'static {
    let chunks = chunks.min(MAX_ITEMS);
    stream::unfold(0, move |produced| async move {
        if produced == chunks {
            return None;
        }
        if produced > 0 {
            sleep(Duration::from_millis(5)).await;
        }
        Some((format!("{}\n", id()), produced + 1))
    })
}

/// Query of `GET /stream`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct StreamQuery {
    /// How many lines.
    pub chunks: usize,
}

impl Default for StreamQuery {
    fn default() -> Self {
        Self { chunks: 3 }
    }
}

/// `GET /spawn`: the ambient ID as read in other tasks and threads.
///
/// # Panics
///
/// If one of them cannot be waited for, which only a runtime that shuts down can cause.
pub async fn spawned() -> Spawned {
    let task = correlation_core::spawn(async { id() });
    let blocking = correlation_core::spawn_blocking(id);

    // A thread has no future to wait for: it answers through a channel.
    let (answer, thread) = oneshot::channel();
    std::thread::spawn(bind(move || answer.send(id())));

    // Whatever else takes a future: wrap the future.
    let mut join_set = JoinSet::new();
    join_set.spawn(async { id() }.in_current());

    // Without a helper a new task starts with no ID.
    let naked = tokio::spawn(async { ambient() });

    Spawned {
        task: task.await.expect("the task ends"),
        blocking: blocking.await.expect("the blocking task ends"),
        thread: thread.await.expect("the thread answers"),
        join_set: join_set
            .join_next()
            .await
            .expect("the set has a task")
            .expect("the task of the set ends"),
        naked: naked.await.expect("the naked task ends"),
    }
}

/// The JSON object of `GET /spawn`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Spawned {
    /// In a task of [`correlation_core::spawn`].
    pub task: String,
    /// In a closure of [`correlation_core::spawn_blocking`].
    pub blocking: String,
    /// In a thread whose closure went through [`bind`].
    pub thread: String,
    /// In a [`JoinSet`], its future through [`InCurrent::in_current`].
    pub join_set: String,
    /// In a plain `tokio::spawn`.
    pub naked: Option<String>,
}

/// `GET /log`: `n` records through `tracing` and `n` through `log`; answers with the ambient ID.
pub fn log_lines(n: usize) -> String {
    for i in 0..n.min(MAX_ITEMS) {
        tracing::info!("tracing line {i}");
        log::info!("log line {i}");
    }
    id()
}

/// Query of `GET /log`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct LogQuery {
    /// How many records of each kind.
    pub n: usize,
}

impl Default for LogQuery {
    fn default() -> Self {
        Self { n: 1 }
    }
}

fn ambient() -> Option<String> {
    correlation_core::current().map(|id| id.to_string())
}

/// Anybody may call an example service: the query does not decide what a request costs.
const MAX_ITEMS: usize = 10_000;
const MAX_MS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use correlation_core::{CorrelationId, scope};
    use futures_util::StreamExt;

    use super::*;

    fn id_of(text: &str) -> CorrelationId {
        text.parse().expect("a valid ID")
    }

    #[test]
    fn outside_any_request_there_is_none() {
        assert_eq!(id(), "none");
        let inbound = inbound();
        assert_eq!(inbound.correlation_id, "none");
        assert_eq!(inbound.source, "none");
        assert_eq!((inbound.upstream_id, inbound.trace_id), (None, None));
    }

    #[tokio::test]
    async fn sleepy_reads_after_each_wait() {
        let ids = scope(id_of("order-1"), sleepy(3, 1)).await;
        assert_eq!(ids, ["order-1"; 3]);
    }

    #[tokio::test]
    async fn stream_reads_when_a_chunk_is_produced() {
        // Made inside one scope, read inside another: the chunk has the ID of its reader.
        let lines = scope(id_of("maker"), async { stream(2) }).await;
        let read: Vec<_> = scope(id_of("order-1"), lines.collect()).await;
        assert_eq!(read, ["order-1\n"; 2]);
    }

    #[tokio::test]
    async fn spawned_work_keeps_the_id_only_with_a_helper() {
        let spawned = scope(id_of("order-1"), spawned()).await;
        let kept = [
            spawned.task,
            spawned.blocking,
            spawned.thread,
            spawned.join_set,
        ];
        assert_eq!(kept, ["order-1"; 4]);
        assert_eq!(spawned.naked, None);
    }
}
