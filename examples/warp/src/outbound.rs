//! Calls to other services. The client sends the ID by itself.

use correlation_reqwest::Propagate;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use service_common::relay::{self, CannotRelay, RelayQuery, TestCall};
use warp::http::{Response, StatusCode};
use warp::reply::{self, json};
use warp::{Filter, Rejection, Reply, path, query};

/// What outbound calls need.
#[derive(Clone)]
pub(crate) struct Outbound {
    client: ClientWithMiddleware,
    downstream: Option<String>,
}

impl Outbound {
    pub(crate) fn new(downstream: Option<String>) -> Self {
        // After this line no call has to think of the ID.
        let client = ClientBuilder::new(reqwest::Client::new())
            .propagate()
            .build();
        Self { client, downstream }
    }

    /// Answers with what the downstream service answers.
    async fn relay(self, query: RelayQuery) -> Result<impl Reply, Failed> {
        let url = relay::url(self.downstream.as_deref(), &query.path)?;
        let answer = self.client.get(url).send().await?;
        let status = answer.status();
        let body = answer
            .bytes()
            .await
            .map_err(reqwest_middleware::Error::from)?;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Ok(response)
    }

    /// The service contract of the W3C Trace Context test suite.
    async fn test(self, calls: Vec<TestCall>) -> Result<impl Reply, Failed> {
        for call in calls {
            let request = self
                .client
                .post(call.url)
                .header("content-type", "application/json");
            request.body(call.arguments.to_string()).send().await?;
        }
        Ok(json(&[(); 0]))
    }
}

pub(crate) fn routes(
    outbound: Outbound,
) -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
    let with_outbound = warp::any().map(move || outbound.clone());
    let relay = path!("relay")
        .and(warp::get())
        .and(with_outbound.clone())
        .and(query())
        .then(Outbound::relay);
    let test = path!("test")
        .and(warp::post())
        .and(with_outbound)
        .and(warp::body::json())
        .then(Outbound::test);
    relay.or(test)
}

/// Why there is no answer from another service.
struct Failed(StatusCode, String);

impl From<CannotRelay> for Failed {
    fn from(reason: CannotRelay) -> Self {
        let status = StatusCode::from_u16(reason.status());
        Self(
            status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            reason.to_string(),
        )
    }
}

impl From<reqwest_middleware::Error> for Failed {
    fn from(error: reqwest_middleware::Error) -> Self {
        // The line in the log carries the ID of the request that could not be relayed.
        tracing::warn!("the call failed: {error}");
        Self(StatusCode::BAD_GATEWAY, "the call failed".to_owned())
    }
}

impl Reply for Failed {
    fn into_response(self) -> reply::Response {
        reply::with_status(self.1, self.0).into_response()
    }
}
