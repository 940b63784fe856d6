//! The Rust worker: runs the tasks that Python sends to the queue `rust`.

use std::error::Error;

use correlation_celery::{Message, serde_json};
use tracing::{info, warn};

use crate::broker::Broker;

pub(crate) async fn run(broker: Broker, queue: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut deliveries = broker.consume(queue).await?;
    loop {
        let message = match deliveries.next().await? {
            Ok(message) => message,
            Err(error) => {
                warn!(%error, "message dropped");
                continue;
            }
        };
        // Everything below runs, and logs, under the ID of the message.
        let done = message.scope(handle(&message));
        if !done.await && message.retries() < MAX_RETRIES {
            broker.send(&message.retry(), queue).await?;
        }
    }
}

/// Returns whether the task is done.
async fn handle(message: &Message) -> bool {
    if message.task() != "rust.ship" {
        warn!(task = message.task(), "unknown task dropped");
        return true;
    }
    let Ok((order,)) = serde_json::from_value::<(u32,)>(message.args().into()) else {
        warn!("task dropped: the argument is not an order");
        return true;
    };
    // The first try fails for every second order, to show that the ID stays.
    if order % 2 == 1 && message.retries() == 0 {
        warn!(order, "carrier is out, trying once more");
        return false;
    }
    info!(order, retries = message.retries(), "order shipped");
    true
}

const MAX_RETRIES: u64 = 3;
