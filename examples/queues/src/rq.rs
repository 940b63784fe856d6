//! RQ, Python's job queue on Redis: the ID is in the job's `meta`, where Python code finds it, and
//! where it stays through all retries.
//!
//! Both ways: Rust enqueues jobs that Python workers run, or runs jobs that Python enqueues. RQ
//! must use JSON, since its default is pickle, which is Python alone:
//! `rq worker mail --serializer rq.serializers.JSONSerializer`.

use std::collections::HashMap;
use std::io::Read;
use std::{mem, str};

use correlation_core::{Context, inject_with, scope};
use flate2::read::ZlibDecoder;
use jiff::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Direction, pipe};
use serde_json::{Map, Value, json};
use tracing::warn;
use uuid::Uuid;

use crate::Result;

/// Enqueues a job under the ID of the caller, as `Queue(queue).enqueue(function, *args)` does.
///
/// `function` is a Python path, such as `tasks.ship`.
///
/// # Errors
///
/// If Redis does not take the job.
pub async fn produce(
    redis: &mut MultiplexedConnection,
    queue: &str,
    function: &str,
    args: &[Value],
) -> Result<String> {
    let id = Uuid::new_v4().to_string();
    let now = now();
    let data = json!([function, null, args, {}]).to_string();
    let mut meta = Map::new();
    inject_meta(&mut meta);
    let meta = Value::from(meta).to_string();
    let fields = [
        ("data", &*data),
        ("meta", &*meta),
        ("description", function),
        ("origin", queue),
        ("status", "queued"),
        ("created_at", &*now),
        ("enqueued_at", &*now),
        // Seconds that the function may take.
        ("timeout", "180"),
        // Tries after the first one.
        ("retries_left", "3"),
    ];
    let queue = queue_key(queue);
    pipe()
        .atomic()
        .hset_multiple(job_key(&id), &fields)
        .sadd("rq:queues", &queue)
        .rpush(queue, &id)
        .exec_async(redis)
        .await?;
    Ok(id)
}

/// Runs the jobs of a queue, each under the ID that it brings or a new one.
///
/// One that failed is tried again as often as its `Retry` says, with the same ID, but at once.
/// Results, callbacks, dependents and `Repeat` are for Python workers. Each consumer has a `name`,
/// and keeps it when it is restarted.
///
/// # Errors
///
/// If the connection is lost.
pub async fn consume(
    redis: &mut MultiplexedConnection,
    queue: &str,
    name: &str,
    handle: impl AsyncFn(&Job) -> Result,
) -> Result {
    let waiting = queue_key(queue);
    // Not RQ's own list `:intermediate`: what lies there for a minute is failed by Python workers.
    let taken = format!("{waiting}:{name}");
    let (head, tail) = (|| Direction::Left, || Direction::Right);
    // What it had taken and not done when it was stopped goes back, in the same order.
    while let Some(_id) = redis
        .lmove::<_, _, Option<Vec<u8>>>(&taken, &waiting, tail(), head())
        .await?
    {}
    loop {
        let id: Vec<u8> = redis.blmove(&waiting, &taken, head(), tail(), 0.0).await?;
        let key = job_key(&String::from_utf8_lossy(&id));
        let fields: Fields = redis.hgetall(&key).await?;
        let mut done = pipe();
        done.atomic().lrem(&taken, 1, &id);
        // A job without fields has expired, or was deleted.
        if !fields.is_empty() {
            let () = redis.hset(&key, "status", "started").await?;
            let mut meta = meta(&fields);
            let context = Context::extract_with(|key| meta.get(key)?.as_str());
            scope(context, async {
                let result = match Job::read(&fields) {
                    Ok(job) => handle(&job).await,
                    Err(error) => Err(error),
                };
                let tries = number(&fields, "retries_left").unwrap_or(0);
                match result {
                    Ok(()) => {
                        let ended = [("status", "finished"), ("ended_at", &now())];
                        done.hset_multiple(&key, &ended);
                        let ttl = number(&fields, "result_ttl").unwrap_or(RESULT_TTL);
                        if ttl >= 0 {
                            done.expire(&key, ttl);
                        }
                    }
                    Err(error) if tries > 0 => {
                        warn!(%error, "job goes back to the queue");
                        // The ID that it had, also if it was made here.
                        inject_meta(&mut meta);
                        let meta = Value::from(mem::take(&mut meta)).to_string();
                        let again = [("status", "queued"), ("meta", &meta)];
                        done.hset_multiple(&key, &again);
                        done.hset(&key, "retries_left", tries - 1);
                        done.rpush(&waiting, &id);
                    }
                    Err(error) => {
                        warn!(%error, "job failed");
                        done.hset(&key, "status", "failed");
                        // Where `rq requeue` finds it; RQ forgets it after a year.
                        let until = Timestamp::now().as_second() + YEAR;
                        done.zadd(format!("rq:failed:{queue}"), &id, until);
                    }
                }
            })
            .await;
        }
        done.exec_async(redis).await?;
    }
}

/// What a job calls.
#[derive(Clone, Debug)]
pub struct Job {
    /// The Python path of the function.
    pub function: String,
    /// Its arguments by position.
    pub args: Vec<Value>,
    /// Its arguments by name.
    pub kwargs: Map<String, Value>,
}

impl Job {
    fn read(fields: &Fields) -> Result<Self> {
        let data = fields.get(&b"data"[..]).ok_or("the job has no data")?;
        // RQ compresses, but reads what is not compressed as well.
        let mut plain = Vec::new();
        let unpacked = ZlibDecoder::new(&data[..])
            .take(MAX_DATA)
            .read_to_end(&mut plain);
        let data = if unpacked.is_ok() { &plain } else { data };
        let (function, _instance, args, kwargs): (_, Value, _, _) = serde_json::from_slice(data)
            .map_err(|_| "the data is not JSON: give the queue RQ's JSONSerializer")?;
        Ok(Self {
            function,
            args,
            kwargs,
        })
    }
}

type Fields = HashMap<Vec<u8>, Vec<u8>>;

/// The ID goes under the key that Python code looks for, and the trace context beside it.
fn inject_meta(meta: &mut Map<String, Value>) {
    inject_with(|key, value| {
        let key = if key == "x-correlation-id" {
            "correlation_id"
        } else {
            key
        };
        meta.insert(key.to_owned(), value.into());
    });
}

/// What a producer wrote beside the job; nothing, if it is no JSON.
fn meta(fields: &Fields) -> Map<String, Value> {
    let meta = fields
        .get(&b"meta"[..])
        .map(|meta| serde_json::from_slice(meta));
    meta.and_then(std::result::Result::ok).unwrap_or_default()
}

fn number(fields: &Fields, name: &str) -> Option<i64> {
    str::from_utf8(fields.get(name.as_bytes())?)
        .ok()?
        .parse()
        .ok()
}

fn job_key(id: &str) -> String {
    format!("rq:job:{id}")
}

fn queue_key(queue: &str) -> String {
    format!("rq:queue:{queue}")
}

/// As RQ writes it: `2026-01-31T12:00:00.000000Z`.
fn now() -> String {
    format!("{:.6}", Timestamp::now())
}

/// Seconds that RQ keeps a job when it is done.
const RESULT_TTL: i64 = 500;
const YEAR: i64 = 365 * 24 * 60 * 60;
/// Compressed data may be a thousand times as large when it is unpacked.
const MAX_DATA: u64 = 16 * 1024 * 1024;
