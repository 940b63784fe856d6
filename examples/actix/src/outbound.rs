//! Calls to other services. The client sends the ID by itself.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Query};
use actix_web::{HttpResponse, ResponseError};
use correlation_reqwest::Propagate;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use service_common::relay::{self, CannotRelay, RelayQuery, TestCall};

/// What outbound calls need.
pub(crate) struct Outbound {
    client: ClientWithMiddleware,
    downstream: Option<String>,
}

impl Outbound {
    pub(crate) fn new(downstream: Option<String>) -> Self {
        Self {
            // After this line no call has to think of the ID.
            client: ClientBuilder::new(reqwest::Client::new())
                .propagate()
                .build(),
            downstream,
        }
    }
}

/// Answers with what the downstream service answers.
pub(crate) async fn relay(
    outbound: Data<Outbound>,
    Query(query): Query<RelayQuery>,
) -> Result<HttpResponse, Failed> {
    let url = relay::url(outbound.downstream.as_deref(), &query.path)?;
    let answer = outbound.client.get(url).send().await?;
    // actix-web and reqwest are on different versions of the `http` crate.
    let status = status(answer.status().as_u16());
    let body = answer
        .bytes()
        .await
        .map_err(reqwest_middleware::Error::from)?;
    Ok(HttpResponse::build(status).body(body))
}

/// The service contract of the W3C Trace Context test suite.
pub(crate) async fn test(
    outbound: Data<Outbound>,
    Json(calls): Json<Vec<TestCall>>,
) -> Result<Json<[(); 0]>, Failed> {
    for call in calls {
        let request = outbound
            .client
            .post(call.url)
            .header("content-type", "application/json");
        request.body(call.arguments.to_string()).send().await?;
    }
    Ok(Json([]))
}

/// Why there is no answer from another service.
#[derive(Debug)]
pub(crate) enum Failed {
    NotCalled(CannotRelay),
    Call,
}

impl From<CannotRelay> for Failed {
    fn from(reason: CannotRelay) -> Self {
        Self::NotCalled(reason)
    }
}

impl From<reqwest_middleware::Error> for Failed {
    fn from(error: reqwest_middleware::Error) -> Self {
        // The line in the log carries the ID of the request that could not be relayed.
        tracing::warn!("the call failed: {error}");
        Self::Call
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCalled(reason) => reason.fmt(f),
            Self::Call => f.write_str("the call failed"),
        }
    }
}

impl ResponseError for Failed {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotCalled(reason) => status(reason.status()),
            Self::Call => StatusCode::BAD_GATEWAY,
        }
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY)
}
