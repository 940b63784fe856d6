//! The work on a message, in code that knows nothing of brokers or IDs.

use std::str;

use tracing::{info, warn};

use crate::Result;

/// Ships the order whose number is the body of the message.
///
/// An error means that the work should be tried again. A body that is not a number never changes,
/// so it is not an error: it is logged, and the message is done.
pub async fn ship(body: &[u8]) -> Result {
    let number: Option<u32> = str::from_utf8(body).ok().and_then(|text| text.parse().ok());
    let Some(number) = number else {
        warn!("message dropped: it is not the number of an order");
        return Ok(());
    };
    // A real service would wait for its work here. Afterwards the ID is still the one of this
    // order.
    tokio::task::yield_now().await;
    info!(number, "order shipped");
    Ok(())
}
