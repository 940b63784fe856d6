//! The service itself: no function here is given an ID, and every one has it.

use std::panic::AssertUnwindSafe;

use correlation_core::Context;
use correlation_reqwest::Propagate;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Request, Response, StatusCode};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde::de::DeserializeOwned;
use service_common::answers::{self, LogQuery, SleepyQuery, StreamQuery};

use crate::body::{Body, json, stream, text};
use crate::outbound;

pub(crate) struct App {
    client: ClientWithMiddleware,
    downstream: Option<String>,
}

impl App {
    pub(crate) fn new(downstream: Option<String>) -> Self {
        // After this line no call has to think of the ID.
        let client = ClientBuilder::new(reqwest::Client::new())
            .propagate()
            .build();
        Self { client, downstream }
    }

    pub(crate) async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        // Without this hyper closes the connection.
        let answered = AssertUnwindSafe(self.answer(request)).catch_unwind().await;
        answered
            .unwrap_or_else(|_| {
                tracing::error!("the handler panicked");
                Err(StatusCode::INTERNAL_SERVER_ERROR.into())
            })
            .unwrap_or_else(|Failed(status, reason)| text(status, reason))
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Failed> {
        let path = request.uri().path();
        let allowed = match path {
            "/test" => "POST",
            // hyper leaves out the body of an answer to HEAD.
            path if GET.contains(&path) => "GET, HEAD",
            _ => return Err(StatusCode::NOT_FOUND.into()),
        };
        let method = request.method().as_str();
        if allowed.split(", ").all(|allowed| allowed != method) {
            return Ok(wrong_method(allowed));
        }
        Ok(match path {
            "/id" => text(StatusCode::OK, answers::id()),
            "/extract" => text(StatusCode::OK, extract(&request)),
            "/inbound" => json(&answers::inbound()),
            "/sleepy" => {
                let SleepyQuery { steps, ms } = query(&request)?;
                json(&answers::sleepy(steps, ms).await)
            }
            "/stream" => {
                let StreamQuery { chunks } = query(&request)?;
                stream(answers::stream(chunks))
            }
            "/spawn" => json(&answers::spawned().await),
            "/log" => {
                let LogQuery { n } = query(&request)?;
                text(StatusCode::OK, answers::log_lines(n))
            }
            "/relay" => {
                let downstream = self.downstream.as_deref();
                outbound::relay(&self.client, downstream, query(&request)?).await?
            }
            "/test" => outbound::test(&self.client, request).await?,
            "/fail" => return Err(StatusCode::INTERNAL_SERVER_ERROR.into()),
            "/panic" => panic!("boom"),
            _ => return Err(StatusCode::NOT_FOUND.into()),
        })
    }
}

fn wrong_method(allowed: &'static str) -> Response<Body> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(ALLOW, allowed);
    response
}

/// For those who would rather be given the ID than ask for it.
fn extract(request: &Request<Incoming>) -> String {
    let context = request.extensions().get::<Context>();
    context.map_or_else(|| "none".to_owned(), |context| context.id().to_string())
}

fn query<Q: DeserializeOwned>(request: &Request<Incoming>) -> Result<Q, Failed> {
    let query = request.uri().query().unwrap_or_default();
    serde_urlencoded::from_str(query)
        .map_err(|error| Failed(StatusCode::BAD_REQUEST, error.to_string()))
}

/// Why there is no better answer: a status, and a text that is fit for the caller.
pub(crate) struct Failed(pub(crate) StatusCode, pub(crate) String);

impl From<StatusCode> for Failed {
    fn from(status: StatusCode) -> Self {
        Self(status, status.to_string())
    }
}

const GET: [&str; 10] = [
    "/id", "/extract", "/inbound", "/sleepy", "/stream", "/spawn", "/log", "/relay", "/fail",
    "/panic",
];
