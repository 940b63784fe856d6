//! Redis lists: a message there has no headers, so `Carried<T>` is the message. Redis'
//! publish/subscribe, and every other queue of plain payloads, works the same way.
//!
//! A consumer moves each message to a separate list, and removes it when it is done. So nothing is
//! lost when the consumer dies.

use correlation_core::Carried;
use redis::Direction::{Left, Right};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, cmd, pipe};
use tracing::warn;

use crate::Result;

/// Adds a message under the ID of the caller: `{"correlation_id": "click-1", "body": "7"}`.
pub async fn produce(redis: &mut MultiplexedConnection, queue: &str, body: &str) -> Result {
    let message = serde_json::to_vec(&Carried::new(body))?;
    Ok(redis.rpush(queue, message).await?)
}

/// Handles the messages of a list, each under the ID that it has, or a new one. A message that
/// failed goes back to the end of the queue, with its ID.
///
/// Each consumer has a `name`, which it keeps when it is restarted.
pub async fn consume(
    redis: &mut MultiplexedConnection,
    queue: &str,
    name: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    let taken = format!("{queue}:{name}");
    // The messages that it had taken but not finished go back, in the same order.
    let mut back = cmd("LMOVE");
    back.arg(&[&*taken, queue, "RIGHT", "LEFT"]);
    while back.query_async::<Option<Vec<u8>>>(redis).await?.is_some() {}
    loop {
        let message: Vec<u8> = redis.blmove(queue, &taken, Left, Right, 0.0).await?;
        let mut done = pipe();
        done.atomic().lrem(&taken, 1, &message);
        match serde_json::from_slice::<Carried<String>>(&message) {
            Ok(carried) => {
                let again = carried.clone();
                let work = async |body: String| {
                    if let Err(error) = handle(body.as_bytes()).await {
                        warn!(%error, "message goes back to the queue");
                        // The message is written as it was read, so an ID that was made here stays.
                        done.rpush(queue, serde_json::to_vec(&again)?);
                    }
                    Result::Ok(())
                };
                carried.run(work).await?;
            }
            Err(error) => warn!(%error, "message dropped: it is not of the agreed form"),
        }
        done.exec_async(redis).await?;
    }
}
