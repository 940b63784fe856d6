//! Calls to other services: `GET /relay` and `POST /test`. The client sends the ID by itself.

use std::error::Error;

use bytes::Bytes;
use correlation_reqwest::Propagate;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde::Deserialize;
use serde_json::Value;

/// What a handler calls with.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    client: ClientWithMiddleware,
    downstream: Option<String>,
}

/// One element of the body of `POST /test`: `arguments` are to be sent as JSON to `url`.
#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) url: String,
    pub(crate) arguments: Value,
}

impl Outbound {
    pub(crate) fn new(downstream: Option<String>) -> Self {
        let client = ClientBuilder::new(reqwest::Client::new());
        Self {
            client: client.propagate().build(),
            downstream,
        }
    }

    /// What the downstream service answers.
    pub(crate) async fn relay(&self, path: &str) -> Result<(u16, Bytes), Failed> {
        let url = url(self.downstream.as_deref(), path)?;
        let answer = self.client.get(url).send().await?;
        Ok((answer.status().as_u16(), answer.bytes().await?))
    }

    /// The service contract of the W3C Trace Context test suite.
    pub(crate) async fn test(&self, calls: Vec<Call>) -> Result<(), Failed> {
        for Call { url, arguments } in calls {
            let request = self.client.post(url);
            let request = request.header("content-type", "application/json");
            request.body(arguments.to_string()).send().await?;
        }
        Ok(())
    }
}

/// The URL that `/relay?path=PATH` calls.
pub(crate) fn url(downstream: Option<&str>, path: &str) -> Result<String, Failed> {
    match downstream {
        None => Err(Failed(
            503,
            "no downstream: start this service with DOWNSTREAM=http://..".to_owned(),
        )),
        // Appended to the base URL, `@evil.example/` would name another host.
        Some(_) if !path.starts_with('/') => Err(Failed(400, "path must start with /".to_owned())),
        Some(base) => Ok(format!("{base}{path}")),
    }
}

/// Why there is no answer from another service: a status, and a text that is fit for the caller.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) u16, pub(crate) String);

impl<E: Error> From<E> for Failed {
    fn from(error: E) -> Self {
        // The line in the log carries the ID of the request that could not be relayed.
        tracing::warn!("the call failed: {error}");
        Self(502, "the call failed".to_owned())
    }
}
