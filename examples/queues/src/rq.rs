//! RQ, Python's job queue on Redis: Rust enqueues jobs that Python workers run. [`rq_worker`] is
//! the other way. The ID is in the job's `meta`, where Python code finds it, and where it stays
//! through all retries.
//!
//! RQ must use JSON, because only Python can read its default, pickle: `rq worker mail --serializer
//! rq.serializers.JSONSerializer`.
//!
//! [`rq_worker`]: crate::rq_worker

use correlation_core::inject_with;
use jiff::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::pipe;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::Result;

/// Enqueues a job under the ID of the caller, as `Queue(queue).enqueue(function, *args)` does.
///
/// `function` is a Python path, such as `tasks.ship`. Returns RQ's ID of the job.
pub async fn produce(
    redis: &mut MultiplexedConnection,
    queue: &str,
    function: &str,
    args: &[Value],
) -> Result<String> {
    let (id, now) = (Uuid::new_v4().to_string(), now());
    let mut meta = Map::new();
    inject_meta(&mut meta);
    let fields = [
        ("data", &*json!([function, null, args, {}]).to_string()),
        ("meta", &Value::from(meta).to_string()),
        ("description", function),
        ("origin", queue),
        ("status", "queued"),
        ("created_at", &now),
        ("enqueued_at", &now),
        ("timeout", "180"),    // seconds that the function may take
        ("retries_left", "3"), // tries after the first one
    ];
    let queue = queue_key(queue);
    let mut all = pipe();
    all.atomic().hset_multiple(job_key(&id), &fields);
    all.sadd("rq:queues", &queue).rpush(queue, &id);
    all.exec_async(redis).await?;
    Ok(id)
}

/// Writes the ID under the key that Python code looks for, and the trace context beside it.
pub(crate) fn inject_meta(meta: &mut Map<String, Value>) {
    inject_with(|key, value| {
        let ours = key == "x-correlation-id";
        let key = if ours { "correlation_id" } else { key };
        meta.insert(key.to_owned(), value.into());
    });
}

pub(crate) fn job_key(id: &str) -> String {
    format!("rq:job:{id}")
}

pub(crate) fn queue_key(queue: &str) -> String {
    format!("rq:queue:{queue}")
}

/// Returns the time as RQ writes it: `2026-01-31T12:00:00.000000Z`.
pub(crate) fn now() -> String {
    format!("{:.6}", Timestamp::now())
}
