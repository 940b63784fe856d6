//! Calls to other services. The client sends the ID by itself.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json, Query};
use actix_web::{HttpResponse, ResponseError};
use awc::Client;
use awc::error::{PayloadError, SendRequestError};
use correlation_actix::Propagate;
use service_common::relay::{self, CannotRelay, RelayQuery, TestCall};

/// What outbound calls need.
pub(crate) struct Outbound {
    client: Client,
    downstream: Option<String>,
}

impl Outbound {
    pub(crate) fn new(downstream: Option<String>) -> Self {
        Self {
            // After this line no call has to think of the ID.
            client: Client::builder().wrap(Propagate::new()).finish(),
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
    let mut answer = outbound.client.get(url).send().await?;
    let body = answer.body().await?;
    Ok(HttpResponse::build(answer.status()).body(body))
}

/// The service contract of the W3C Trace Context test suite.
pub(crate) async fn test(
    outbound: Data<Outbound>,
    Json(calls): Json<Vec<TestCall>>,
) -> Result<Json<[(); 0]>, Failed> {
    for call in calls {
        let request = outbound.client.post(call.url);
        request.send_json(&call.arguments).await?;
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

impl From<SendRequestError> for Failed {
    fn from(error: SendRequestError) -> Self {
        failed(&error)
    }
}

impl From<PayloadError> for Failed {
    fn from(error: PayloadError) -> Self {
        failed(&error)
    }
}

fn failed(error: &dyn fmt::Display) -> Failed {
    // The line in the log carries the ID of the request that could not be relayed.
    tracing::warn!("the call failed: {error}");
    Failed::Call
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
            Self::NotCalled(reason) => {
                StatusCode::from_u16(reason.status()).unwrap_or(StatusCode::BAD_GATEWAY)
            }
            Self::Call => StatusCode::BAD_GATEWAY,
        }
    }
}
