//! What the consumers do with a message: code that knows nothing of brokers or IDs.

use std::str;

use tracing::{info, warn};

use crate::Result;

/// Ships the order whose number is the body of the message.
///
/// An error means that the work should be tried again. That a body is no number will not change,
/// so it is no error: it is logged, and the message is done.
pub async fn ship(body: &[u8]) -> Result {
    let number: Option<u32> = str::from_utf8(body).ok().and_then(|text| text.parse().ok());
    let Some(number) = number else {
        warn!("message dropped: it is not the number of an order");
        return Ok(());
    };
    // Work of a real service would wait here. Afterwards the ID is still the one of this order.
    tokio::task::yield_now().await;
    info!(number, "order shipped");
    Ok(())
}
