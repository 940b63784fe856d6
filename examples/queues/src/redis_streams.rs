//! Redis streams: the ID is a field beside the body.
//!
//! A consumer group keeps what a consumer took until it is acknowledged. So nothing is lost when a
//! consumer dies, and the message comes again with its ID.

use std::collections::HashMap;
use std::time::Duration;

use correlation_core::{continue_from, inject_with};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Value, cmd, from_redis_value};
use tracing::warn;

use crate::Result;

/// Adds a message under the ID of the caller.
///
/// # Errors
///
/// If Redis does not take the message.
pub async fn produce(redis: &mut MultiplexedConnection, stream: &str, body: &str) -> Result {
    let mut fields = vec![("body", body.to_owned())];
    inject_with(|key, value| fields.push((key, value.to_owned())));
    let _: String = redis.xadd(stream, "*", &fields).await?;
    Ok(())
}

/// Handles the messages of a stream, each under the ID that it brings or a new one.
///
/// The consumers of a `group` share the messages. Each has a `name`, and keeps it when it is
/// restarted: then it first gets what it had not acknowledged. What another one, or it itself, has
/// left for a minute is claimed as well.
///
/// # Errors
///
/// If the connection is lost.
pub async fn consume(
    redis: &mut MultiplexedConnection,
    stream: &str,
    group: &str,
    name: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    create(redis, stream, group).await?;
    // Of a group, `>` is what nobody took yet; anything else is what this consumer took after it.
    let mut after = "0".to_owned();
    loop {
        let mut entries = read(redis, stream, group, name, &after).await?;
        if after != ">" {
            let last = entries.last().map(|(id, _)| id.clone());
            after = last.unwrap_or_else(|| ">".to_owned());
        }
        entries.extend(claim(redis, stream, group, name, ABANDONED).await?);
        for (id, fields) in entries {
            continue_from(|key| fields.get(key.as_bytes()), async {
                let body = fields.get(&b"body"[..]).map_or(&[][..], Vec::as_slice);
                if let Err(error) = handle(body).await {
                    warn!(%error, "message stays in the stream");
                    return Ok(());
                }
                redis.xack(stream, group, &[id]).await
            })
            .await?;
        }
    }
}

/// Messages: Redis' ID for each, and its fields.
///
/// `StreamReadReply` has text for the names of the fields. A name with other bytes, which anyone
/// can send, would make it an error to read the batch, now and after every restart.
pub type Entries = Vec<(String, HashMap<Vec<u8>, Vec<u8>>)>;

/// Takes over messages that were taken so long ago, and not acknowledged since.
///
/// # Errors
///
/// If the connection is lost.
pub async fn claim(
    redis: &mut MultiplexedConnection,
    stream: &str,
    group: &str,
    name: &str,
    idle: Duration,
) -> Result<Entries> {
    let idle = u64::try_from(idle.as_millis())?;
    let mut command = cmd("XAUTOCLAIM");
    command.arg(&[stream, group, name]).arg(idle).arg("0");
    // Where to go on, the messages, and from Redis 7 on also which were deleted.
    let mut answer: Vec<Value> = command.arg("COUNT").arg(BATCH).query_async(redis).await?;
    if answer.len() < 2 {
        return Err("Redis answers XAUTOCLAIM in another way".into());
    }
    Ok(from_redis_value(answer.swap_remove(1))?)
}

async fn read(
    redis: &mut MultiplexedConnection,
    stream: &str,
    group: &str,
    name: &str,
    after: &str,
) -> Result<Entries> {
    let mut command = cmd("XREADGROUP");
    command.arg(&["GROUP", group, name]).arg("COUNT").arg(BATCH);
    command.arg("BLOCK").arg(WAIT_MS);
    command.arg(&["STREAMS", stream, after]);
    let streams: Option<Vec<(String, Entries)>> = command.query_async(redis).await?;
    let entries = streams
        .into_iter()
        .flatten()
        .flat_map(|(_, entries)| entries);
    Ok(entries.collect())
}

async fn create(redis: &mut MultiplexedConnection, stream: &str, group: &str) -> Result {
    match redis.xgroup_create_mkstream(stream, group, "0").await {
        // It is there already.
        Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
        created => Ok(created?),
    }
}

const BATCH: u32 = 100;
/// How long a read waits for messages. After that it is time to see what others have left.
const WAIT_MS: u32 = 5_000;
const ABANDONED: Duration = Duration::from_secs(60);
