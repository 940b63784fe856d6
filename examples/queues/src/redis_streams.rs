//! Redis streams: the ID is a field beside the body.
//!
//! A consumer group keeps what a consumer took until it is acknowledged, so nothing is lost when
//! the consumer dies, and the ID is there again when the message is.

use std::collections::HashMap;
use std::time::Duration;

use correlation_core::{continue_from, inject_with};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig, Client, cmd};
use tracing::warn;

use crate::Result;

/// Adds a message, with the ID of whatever this code works for.
///
/// # Errors
///
/// If Redis cannot be reached or refuses the message.
pub async fn produce(redis: &mut MultiplexedConnection, stream: &str, body: &str) -> Result {
    let mut fields = vec![("body", body.to_owned())];
    inject_with(|key, value| fields.push((key, value.to_owned())));
    let () = redis.xadd(stream, "*", &fields).await?;
    Ok(())
}

/// Handles messages, each in its own context, until Redis fails.
///
/// `name` tells the consumers of a group apart. One that is restarted keeps its name.
///
/// # Errors
///
/// If Redis fails: a message that was being handled comes again.
pub async fn consume(
    redis: &Client,
    stream: &str,
    group: &str,
    name: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    // A read waits for messages longer than the client waits for answers.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let mut redis = redis
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    create_group(&mut redis, stream, group).await?;
    // First what this consumer took before it was restarted: all after entry 0 that it did not
    // acknowledge. Then what nobody took yet.
    let mut after = "0".to_owned();
    loop {
        let batch = read(&mut redis, stream, group, name, &after).await?;
        if after != ">" {
            after = batch.last().map_or_else(|| ">".to_owned(), |(id, _)| id.clone());
        }
        let abandoned = claim(&mut redis, stream, group, name, ABANDONED).await?;
        for (id, fields) in batch.into_iter().chain(abandoned) {
            let body = fields.get(&b"body"[..]).map_or(&[][..], Vec::as_slice);
            let handled = async {
                match handle(body).await {
                    Ok(()) => true,
                    Err(error) => {
                        warn!(%error, "not done, will be tried again");
                        false
                    }
                }
            };
            // All that `handle` does and logs has the ID of the message, or a new one.
            if continue_from(|key| fields.get(key.as_bytes()), handled).await {
                let () = redis.xack(stream, group, &[id]).await?;
            }
        }
    }
}

/// Entries: an ID of Redis, and fields.
///
/// Not `StreamReadReply`: it has text for the names of fields, so one message with other bytes
/// there would be an error for the whole batch, again and again.
pub type Entries = Vec<(String, HashMap<Vec<u8>, Vec<u8>>)>;

/// Entries that were taken at least so long ago, and that nobody acknowledged: their consumer is
/// gone, or could not handle them. They belong to this consumer now.
///
/// # Errors
///
/// If Redis fails.
pub async fn claim(
    redis: &mut MultiplexedConnection,
    stream: &str,
    group: &str,
    name: &str,
    idle: Duration,
) -> Result<Entries> {
    let mut command = cmd("XAUTOCLAIM");
    command.arg(stream).arg(group).arg(name);
    command.arg(idle.as_millis().to_string()).arg("0");
    command.arg("COUNT").arg(BATCH);
    // Before Redis 7 the answer has two parts.
    let answer: Vec<redis::Value> = command.query_async(redis).await?;
    let entries = answer.into_iter().nth(1).unwrap_or(redis::Value::Nil);
    Ok(redis::from_redis_value(entries)?)
}

async fn read(
    redis: &mut MultiplexedConnection,
    stream: &str,
    group: &str,
    name: &str,
    after: &str,
) -> Result<Entries> {
    let mut command = cmd("XREADGROUP");
    command.arg("GROUP").arg(group).arg(name);
    command.arg("COUNT").arg(BATCH).arg("BLOCK").arg(WAIT_MS);
    command.arg("STREAMS").arg(stream).arg(after);
    let answer: Option<Vec<(String, Entries)>> = command.query_async(redis).await?;
    Ok(answer.into_iter().flatten().flat_map(|(_, entries)| entries).collect())
}

async fn create_group(redis: &mut MultiplexedConnection, stream: &str, group: &str) -> Result {
    match redis.xgroup_create_mkstream(stream, group, "0").await {
        Err(error) if error.code() != Some("BUSYGROUP") => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

const BATCH: usize = 100;
const WAIT_MS: usize = 5_000;
const ABANDONED: Duration = Duration::from_secs(60);
