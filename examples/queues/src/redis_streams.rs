//! Redis streams: the ID is a field beside the body.
//!
//! A consumer group keeps every message that a consumer took until it is acknowledged. So nothing
//! is lost when a consumer dies, and the message is delivered again with its ID.

use correlation_core::{continue_from, inject_with};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Value, cmd, from_redis_value};
use tracing::warn;

use crate::Result;

/// Adds a message under the ID of the caller.
pub async fn produce(redis: &mut MultiplexedConnection, stream: &str, body: &str) -> Result {
    let mut fields = vec![("body", body.to_owned())];
    inject_with(|key, value| fields.push((key, value.to_owned())));
    Ok(redis.xadd(stream, "*", &fields).await?)
}

/// Handles the messages of a stream, each under the ID that it has, or a new one.
///
/// The consumers of a group share the messages. Each has a `name`, which it keeps over a restart.
/// It first gets its unacknowledged messages, then those that any consumer left for `abandoned_ms`.
pub async fn consume(
    redis: &mut MultiplexedConnection,
    [stream, group, name]: [&str; 3],
    abandoned_ms: u64,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    match redis.xgroup_create_mkstream(stream, group, "0").await {
        Err(error) if error.code() == Some("BUSYGROUP") => {} // it is there already
        created => created?,
    }
    let mut claim = cmd("XAUTOCLAIM");
    claim.arg(&[stream, group, name]).arg(abandoned_ms).arg("0");
    // In a group, `>` means new messages, and any other ID means those that this consumer took
    // after it.
    let mut after = "0".to_owned();
    loop {
        let mut read = cmd("XREADGROUP");
        read.arg(&["GROUP", group, name, "COUNT", "100", "BLOCK", "5000"]);
        read.arg(&["STREAMS", stream, &after]);
        let streams: Option<Vec<(String, Entries)>> = read.query_async(redis).await?;
        let mut entries: Entries = streams.unwrap_or_default().pop().unwrap_or_default().1;
        if after != ">" {
            after = entries.last().map_or(">".to_owned(), |last| last.0.clone());
        }
        // The reply is the next start, the messages, and from Redis 7 on also the deleted ones.
        let claimed: Vec<Value> = claim.query_async(redis).await?;
        let claimed = claimed.into_iter().nth(1).ok_or("no messages")?;
        entries.extend(from_redis_value::<Entries>(claimed)?);
        for (id, fields) in entries {
            // Without fields, it was deleted by `XDEL` or a limit before it was acknowledged.
            if let Some(fields) = fields {
                let body = values(&fields, "body").next().unwrap_or_default();
                let work = async {
                    let handled = handle(body).await;
                    handled.inspect_err(|error| warn!(%error, "message stays in the stream"))
                };
                let handled = continue_from(|key| values(&fields, key), work).await;
                if handled.is_err() {
                    continue;
                }
            }
            let () = redis.xack(stream, group, &[id]).await?;
        }
    }
}

/// Redis' ID of each message, and its fields. Their names are bytes: if they were text, one bad
/// name, which anyone can send, would make every read of the batch fail, even after a restart.
type Entries = Vec<(String, Option<Fields>)>;
type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Returns all values of a field. Its name may be in any case, and may come more than once.
fn values<'a>(fields: &'a Fields, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
    let found = move |(known, _): &&(Vec<u8>, Vec<u8>)| known.eq_ignore_ascii_case(name.as_bytes());
    fields.iter().filter(found).map(|(_, value)| &value[..])
}
