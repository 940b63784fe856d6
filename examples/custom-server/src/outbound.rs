//! Calls to other services. The client sends the ID by itself.

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response, StatusCode};
use reqwest_middleware::ClientWithMiddleware;
use service_common::relay::{self, CannotRelay, RelayQuery, TestCall};

use crate::app::Failed;
use crate::body::{Body, json, text};

/// Answers with what the downstream service answers.
pub(crate) async fn relay(
    client: &ClientWithMiddleware,
    downstream: Option<&str>,
    query: RelayQuery,
) -> Result<Response<Body>, Failed> {
    let url = relay::url(downstream, &query.path)?;
    let answer = client.get(url).send().await?;
    let status = answer.status();
    let body = answer
        .bytes()
        .await
        .map_err(reqwest_middleware::Error::from)?;
    Ok(text(status, body))
}

/// The service contract of the W3C Trace Context test suite.
pub(crate) async fn test(
    client: &ClientWithMiddleware,
    request: Request<Incoming>,
) -> Result<Response<Body>, Failed> {
    for call in calls(request).await? {
        let request = client
            .post(call.url)
            .header(CONTENT_TYPE, "application/json");
        request.body(call.arguments.to_string()).send().await?;
    }
    Ok(json(&[(); 0]))
}

async fn calls(request: Request<Incoming>) -> Result<Vec<TestCall>, Failed> {
    let bad = |problem: String| Failed(StatusCode::BAD_REQUEST, problem);
    let body = Limited::new(request.into_body(), MAX_BODY).collect().await;
    let body = body.map_err(|error| bad(error.to_string()))?.to_bytes();
    serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))
}

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

const MAX_BODY: usize = 1024 * 1024;
