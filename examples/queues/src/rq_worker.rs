//! RQ the other way: Rust runs jobs that Python enqueues. See [`rq`](crate::rq).

use correlation_core::continue_from;
use jiff::Timestamp;
use redis::Direction::{Left, Right};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, cmd, pipe};
use serde_json::Value;
use tracing::warn;

use crate::Result;
use crate::rq::{inject_meta, job_key, now, queue_key};
use crate::rq_job::{Fields, Job, meta, number};

/// Runs the jobs of a queue, each under the ID that it has, or a new one.
///
/// A job that failed is tried again as often as its `Retry` says, with the same ID, but at once.
/// Results, callbacks, dependents and `Repeat` are only for Python workers. Each consumer has a
/// `name`, which it keeps when it is restarted.
pub async fn consume(
    redis: &mut MultiplexedConnection,
    queue: &str,
    name: &str,
    handle: impl AsyncFn(&Job) -> Result,
) -> Result {
    let waiting = queue_key(queue);
    // It is not RQ's list `:intermediate`, because Python workers fail every job that is there for
    // a minute.
    let taken = format!("{waiting}:{name}");
    // The jobs that it had taken but not finished go back, in the same order.
    let mut back = cmd("LMOVE");
    back.arg(&[&*taken, &waiting, "RIGHT", "LEFT"]);
    while back.query_async::<Option<Vec<u8>>>(redis).await?.is_some() {}
    loop {
        let id: Vec<u8> = redis.blmove(&waiting, &taken, Left, Right, 0.0).await?;
        let key = job_key(&String::from_utf8_lossy(&id));
        let fields: Fields = redis.hgetall(&key).await?;
        let mut done = pipe();
        done.atomic().lrem(&taken, 1, &id);
        // A job without fields has expired, or was deleted.
        if !fields.is_empty() {
            let () = redis.hset(&key, "status", "started").await?;
            let meta = meta(&fields);
            let work = async {
                let result = match Job::read(&fields) {
                    Ok(job) => handle(&job).await,
                    Err(error) => Err(error),
                };
                let tries = number(&fields, "retries_left").unwrap_or(0);
                match result {
                    Ok(()) => {
                        done.hset_multiple(&key, &[("status", "finished"), ("ended_at", &now())]);
                        let ttl = number(&fields, "result_ttl").unwrap_or(500);
                        if ttl >= 0 {
                            done.expire(&key, ttl);
                        }
                    }
                    Err(error) if tries > 0 => {
                        warn!(%error, "job goes back to the queue");
                        let mut meta = meta.clone();
                        inject_meta(&mut meta); // the ID that it had, also if it was made here
                        let meta = Value::from(meta).to_string();
                        done.hset_multiple(&key, &[("status", "queued"), ("meta", &meta)]);
                        done.hset(&key, "retries_left", tries - 1);
                        done.rpush(&waiting, &id);
                    }
                    Err(error) => {
                        warn!(%error, "job failed");
                        let forgotten = Timestamp::now().as_second() + 365 * 24 * 60 * 60;
                        done.hset(&key, "status", "failed");
                        done.zadd(format!("rq:failed:{queue}"), &id, forgotten); // for `rq requeue`
                    }
                }
            };
            continue_from(|key| meta.get(key)?.as_str(), work).await;
        }
        done.exec_async(redis).await?;
    }
}
