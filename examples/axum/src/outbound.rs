//! Calls to other services. The client sends the ID by itself.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use service_common::relay::{self, RelayQuery, TestCall};

use crate::Outbound;

/// Answers with what the downstream service answers.
pub(crate) async fn relay(
    State(outbound): State<Outbound>,
    Query(query): Query<RelayQuery>,
) -> Result<Response, Failed> {
    let url = relay::url(outbound.downstream.as_deref(), &query.path)?;
    let answer = outbound.client.get(url).send().await?;
    let status = answer.status();
    let body = answer
        .bytes()
        .await
        .map_err(reqwest_middleware::Error::from)?;
    Ok((status, body).into_response())
}

/// The service contract of the W3C Trace Context test suite.
pub(crate) async fn test(
    State(outbound): State<Outbound>,
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
pub(crate) struct Failed(StatusCode, String);

impl From<relay::CannotRelay> for Failed {
    fn from(reason: relay::CannotRelay) -> Self {
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

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}
