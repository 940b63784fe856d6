//! Calls to other services. The client sends the ID by itself.

use reqwest_middleware::ClientWithMiddleware;
use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{FromForm, Responder, State, get, post};
use service_common::relay::{CannotRelay, TestCall, url};

/// What outbound calls need.
pub(crate) struct Outbound {
    pub(crate) client: ClientWithMiddleware,
    pub(crate) downstream: Option<String>,
}

#[derive(FromForm)]
pub(crate) struct Relay {
    #[field(default = "/id")]
    path: String,
}

/// Answers with what the downstream service answers.
#[get("/relay?<query..>")]
pub(crate) async fn relay(
    query: Relay,
    outbound: &State<Outbound>,
) -> Result<(Status, Vec<u8>), Failed> {
    let url = url(outbound.downstream.as_deref(), &query.path)?;
    let answer = outbound.client.get(url).send().await?;
    let status = Status::new(answer.status().as_u16());
    let body = answer
        .bytes()
        .await
        .map_err(reqwest_middleware::Error::from)?;
    Ok((status, body.into()))
}

/// The service contract of the W3C Trace Context test suite.
#[post("/test", data = "<calls>")]
pub(crate) async fn test(
    calls: Json<Vec<TestCall>>,
    outbound: &State<Outbound>,
) -> Result<Json<[(); 0]>, Failed> {
    for call in calls.into_inner() {
        let request = outbound
            .client
            .post(call.url)
            .header("content-type", "application/json");
        request.body(call.arguments.to_string()).send().await?;
    }
    Ok(Json([]))
}

/// Why there is no answer from another service.
#[derive(Responder)]
pub(crate) struct Failed((Status, String));

impl From<CannotRelay> for Failed {
    fn from(reason: CannotRelay) -> Self {
        Self((Status::new(reason.status()), reason.to_string()))
    }
}

impl From<reqwest_middleware::Error> for Failed {
    fn from(error: reqwest_middleware::Error) -> Self {
        // The line in the log carries the ID of the request that could not be relayed.
        tracing::warn!("the call failed: {error}");
        Self((Status::BadGateway, "the call failed".to_owned()))
    }
}
