//! Calls to the other services.

use std::time::Duration;

use correlation_reqwest::Propagate;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::messages::Refusal;
use super::{Service, variable};
use crate::failure::{Failure, root_cause};

/// A service that this one calls.
#[derive(Clone, Debug)]
pub(super) struct Downstream {
    name: &'static str,
    url: String,
    client: ClientWithMiddleware,
}

/// The reason why a call did not return the expected answer.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) refusal: Refusal,
}

impl Downstream {
    /// Returns the service whose address is in the environment.
    pub(super) fn from_env(service: Service) -> Result<Self, Failure> {
        let client = reqwest::Client::builder()
            // An `HTTP_PROXY` in the environment does not apply to the loopback device.
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self {
            name: service.name(),
            url: variable(&service.url_variable())?,
            // After this line, no call has to handle the ID.
            client: ClientBuilder::new(client).propagate().build(),
        })
    }

    /// Posts a body. The answer is the expected one, or a refusal.
    pub(super) async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<A, Refused> {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        let answer = request.send().await.map_err(|error| self.failed(&error))?;
        let status = answer.status();
        if status.is_success() {
            return answer.json().await.map_err(|error| self.failed(&error));
        }
        let refusal = answer.json().await;
        Err(Refused {
            status: status.as_u16(),
            // This may be a framework's own error page.
            refusal: refusal.unwrap_or_else(|_| Refusal::new(format!("{}: {status}", self.name))),
        })
    }

    /// The exact reason goes to our own log, not to the caller.
    fn failed(&self, error: &dyn std::error::Error) -> Refused {
        tracing::error!("{} does not answer: {}", self.name, root_cause(error));
        Refused {
            status: 502,
            refusal: Refusal::new(format!("{} does not answer", self.name)),
        }
    }
}
