//! The customer: an HTTP client that knows nothing of correlation IDs.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;

use crate::failure::{Failure, root_cause};

/// The body of the purchase. The bank refuses this card once, and accepts it the second time.
pub(crate) const BODY: &str = r#"{"cart":42,"card":"tok_retry","items":[{"sku":"teapot","quantity":1},{"sku":"cup","quantity":4}]}"#;

/// The answer to the customer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The ID to quote if something goes wrong, from the response header.
    pub(crate) id: String,
}

/// Buys [`BODY`] at the gateway.
pub(crate) async fn buy(gateway: &str) -> Result<Answer, Failure> {
    let client = reqwest::Client::builder()
        // An `HTTP_PROXY` in the environment does not apply to the loopback device.
        .no_proxy()
        .timeout(Duration::from_secs(30))
        .build()?;
    let answer = client
        .post(format!("{gateway}/purchase"))
        .header(CONTENT_TYPE, "application/json")
        .body(BODY)
        .send()
        .await
        .map_err(|error| format!("the purchase failed: {}", root_cause(&error)))?;
    let id = answer.headers().get("x-correlation-id");
    let id = id.ok_or("the response to the purchase has no x-correlation-id")?;
    Ok(Answer {
        status: answer.status(),
        id: id.to_str()?.to_owned(),
    })
}
