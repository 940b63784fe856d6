//! The endpoints that a process has, but for `/ws`.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use correlation_core::Context;
use correlation_testkit::app::{self, Params};
use futures_util::{FutureExt, Stream, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::{Request, Response};
use serde_json::json;

use crate::outbound::{Failed, Outbound};

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

pub(crate) async fn handle(outbound: &Outbound, request: Request<Incoming>) -> Response<Body> {
    // Without this hyper closes the connection.
    let answered = AssertUnwindSafe(answer(outbound, request)).catch_unwind();
    answered
        .await
        .unwrap_or_else(|_| {
            tracing::error!("the handler panicked");
            Err(failed(500))
        })
        .unwrap_or_else(|Failed(status, reason)| text(status, reason))
}

async fn answer(outbound: &Outbound, request: Request<Incoming>) -> Result<Response<Body>, Failed> {
    let path = request.uri().path();
    // hyper leaves out the body of an answer to HEAD.
    let allowed = if path == "/test" { "POST" } else { "GET, HEAD" };
    let method = request.method().as_str();
    if allowed.split(", ").all(|allowed| allowed != method) && PATHS.contains(&path) {
        let mut response = text(405, "method not allowed");
        response.headers_mut().insert(ALLOW, allowed.parse()?);
        return Ok(response);
    }
    let query = request.uri().query().unwrap_or_default();
    let params = || {
        let params = serde_urlencoded::from_str::<Params>(query);
        params.map_err(|error| Failed(400, error.to_string()))
    };
    Ok(match path {
        "/id" => text(200, app::id()),
        "/extract" => text(200, extract(&request)),
        "/inbound" => json(app::inbound().to_string()),
        "/sleepy" => {
            let Params { steps, ms, .. } = params()?;
            json(json!(app::sleepy(steps, ms).await).to_string())
        }
        "/stream" => stream(app::stream(params()?.chunks)),
        "/spawn" => json(app::spawned().await.to_string()),
        "/log" => {
            let Params { n, say, .. } = params()?;
            text(200, app::log_lines(n, &say))
        }
        "/relay" => {
            let (status, body) = outbound.relay(&params()?.path).await?;
            text(status, body)
        }
        "/test" => {
            let bad = |error: &dyn ToString| Failed(400, error.to_string());
            let body = Limited::new(request.into_body(), MAX_BODY).collect().await;
            let body = body.map_err(|error| bad(&error))?.to_bytes();
            let calls = serde_json::from_slice(&body).map_err(|error| bad(&error))?;
            outbound.test(calls).await?;
            json("[]")
        }
        "/fail" => return Err(failed(500)),
        "/panic" => panic!("boom"),
        _ => return Err(failed(404)),
    })
}

/// For those who would rather be given the ID than ask for it.
fn extract(request: &Request<Incoming>) -> String {
    let context = request.extensions().get::<Context>();
    context.map_or_else(|| "none".to_owned(), |context| context.id().to_string())
}

fn failed(status: u16) -> Failed {
    Failed(status, format!("status {status}"))
}

pub(crate) fn text(status: u16, text: impl Into<Bytes>) -> Response<Body> {
    respond(status, TEXT, Full::new(text.into()).boxed_unsync())
}

fn json(json: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(json.into()).boxed_unsync();
    respond(200, "application/json", body)
}

fn stream(lines: impl Stream<Item = String> + Send + 'static) -> Response<Body> {
    let frames = lines.map(|line| Ok(Frame::data(line.into())));
    respond(200, TEXT, StreamBody::new(frames).boxed_unsync())
}

fn respond(status: u16, content_type: &str, body: Body) -> Response<Body> {
    let response = Response::builder().status(status);
    let response = response.header(CONTENT_TYPE, content_type).body(body);
    response.expect("a status and a header that are valid")
}

const TEXT: &str = "text/plain; charset=utf-8";
const MAX_BODY: usize = 1024 * 1024;
const PATHS: [&str; 11] = [
    "/id", "/extract", "/inbound", "/sleepy", "/stream", "/spawn", "/log", "/relay", "/test",
    "/fail", "/panic",
];
