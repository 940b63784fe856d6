//! What both services do, whatever framework they are on: no line of it names the ID.

use correlation_axum::correlation;
use correlation_reqwest::Propagate;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tracing::info;

/// The next service of the chain, if there is one.
#[derive(Clone)]
pub(crate) struct Downstream {
    client: ClientWithMiddleware,
    base: Option<String>,
}

impl Downstream {
    pub(crate) fn new(base: Option<String>) -> Self {
        // After this line no call has to think of the ID.
        let client = ClientBuilder::new(reqwest::Client::new())
            .propagate()
            .build();
        Self { client, base }
    }

    /// The answer to `GET /hop/{purchase}`.
    pub(crate) async fn hop(
        &self,
        service: &str,
        purchase: &str,
    ) -> reqwest_middleware::Result<String> {
        info!("{service} was asked for {purchase}");
        let id = correlation::current().map(String::from);
        let mut answer = format!("{service} {}\n", id.unwrap_or_default());
        if let Some(base) = &self.base {
            let call = self.client.get(format!("{base}/hop/{purchase}"));
            answer += &call.send().await?.error_for_status()?.text().await?;
        }
        info!("{service} answers for {purchase}");
        Ok(answer)
    }
}
