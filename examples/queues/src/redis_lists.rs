//! Redis lists: a message there has no room for headers, so `Carried<T>` is the message. The same
//! does for Redis' publish/subscribe, and for every other queue of plain payloads.
//!
//! A consumer moves each message to a list of its own and removes it when it is done, so that
//! nothing is lost when the consumer dies.

use correlation_core::Carried;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Direction, pipe};
use tracing::warn;

use crate::Result;

/// Adds a message under the ID of the caller: `{"correlation_id": "click-1", "body": "7"}`.
///
/// # Errors
///
/// If Redis does not take the message.
pub async fn produce(redis: &mut MultiplexedConnection, queue: &str, body: &str) -> Result {
    let message = serde_json::to_vec(&Carried::new(body))?;
    let () = redis.rpush(queue, message).await?;
    Ok(())
}

/// Handles the messages of a list, each under the ID that it brings or a new one. One that failed
/// goes back to the end of the queue, with its ID.
///
/// Each consumer has a `name`, and keeps it when it is restarted.
///
/// # Errors
///
/// If the connection is lost.
pub async fn consume(
    redis: &mut MultiplexedConnection,
    queue: &str,
    name: &str,
    handle: impl AsyncFn(&[u8]) -> Result,
) -> Result {
    let taken = format!("{queue}:{name}");
    let (head, tail) = (|| Direction::Left, || Direction::Right);
    // What it had taken and not done when it was stopped goes back, in the same order.
    while let Some(_message) = redis
        .lmove::<_, _, Option<Vec<u8>>>(&taken, queue, tail(), head())
        .await?
    {}
    loop {
        let message: Vec<u8> = redis.blmove(queue, &taken, head(), tail(), 0.0).await?;
        let mut done = pipe();
        done.atomic().lrem(&taken, 1, &message);
        match serde_json::from_slice::<Carried<String>>(&message) {
            Ok(carried) => {
                let again = carried.clone();
                carried
                    .run(async |body| {
                        if let Err(error) = handle(body.as_bytes()).await {
                            warn!(%error, "message goes back to the queue");
                            // As it was read, and not as it came: an ID that was made here stays.
                            done.rpush(queue, serde_json::to_vec(&again)?);
                        }
                        Ok::<_, serde_json::Error>(())
                    })
                    .await?;
            }
            Err(error) => warn!(%error, "message dropped: it is not of the agreed form"),
        }
        done.exec_async(redis).await?;
    }
}
