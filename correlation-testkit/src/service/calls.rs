//! `POST /test`, the service contract of the W3C Trace Context test suite.

use std::io;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::endpoints::is_typed;
use super::relay::trace_headers;
use super::stub::Stub;
use crate::checks::{carries, sent};
use crate::client::request;
use crate::{CORRELATION_ID, Connection, Report, Response, Sent, TRACE};

/// Makes the service call the stub, for a request with a `traceparent` and for one without.
pub(super) async fn check(addr: SocketAddr, stub: &Stub) -> Report {
    let mut report = Report::default();
    for traced in [true, false] {
        let result = calls(&mut report, addr, stub, traced).await;
        report.ok("/test", result);
    }
    let result = others(&mut report, addr, stub).await;
    report.ok("/test", result);
    report
}

async fn calls(report: &mut Report, addr: SocketAddr, stub: &Stub, traced: bool) -> io::Result<()> {
    let what = if traced { "/test, traced" } else { "/test" };
    let arguments = [
        json!([]),
        json!([{"url": "http://127.0.0.1:1/", "arguments": []}]),
        json!({"text": "\u{e9}\n\"", "number": 1.5, "nothing": null}),
        json!(null),
    ];
    let elements = arguments.iter().enumerate().map(|(n, arguments)| {
        json!({"url": format!("{}/callback.{n}?q={n}", stub.url()), "arguments": arguments})
    });
    let elements = elements.collect();
    let mut headers = sent("c-1").to_vec();
    if traced {
        headers.extend([("traceparent", TRACE), ("tracestate", "b=2,a=1")]);
    }
    let mut connection = Connection::open(addr).await?;
    let response = post(&mut connection, &headers, &Value::Array(elements)).await?;
    answered(report, what, &response);

    let requests = stub.take();
    report.equal(
        format_args!("{what}: calls"),
        requests.len(),
        arguments.len(),
    );
    for (n, (request, arguments)) in requests.iter().zip(&arguments).enumerate() {
        let what = format!("{what}, call {n}");
        let line = format!("POST /callback.{n}?q={n}");
        report.equal(&what, &request.line, &line);
        report.equal(&what, &request.json(), arguments);
        let ids = request.values(CORRELATION_ID);
        report.equal(&what, ids, ["c-1"]);
        let types = request.values("content-type");
        report.equal(&what, types, ["application/json"]);
        if traced {
            trace_headers(report, &what, request, &[TRACE], &["b=2", "a=1"]);
        } else {
            trace_headers(report, &what, request, &[], &[]);
        }
    }
    Ok(())
}

/// Checks an empty list of calls, and a body that is not an array.
async fn others(report: &mut Report, addr: SocketAddr, stub: &Stub) -> io::Result<()> {
    let mut connection = Connection::open(addr).await?;
    let response = post(&mut connection, &sent("c-1"), &json!([])).await?;
    answered(report, "/test, nothing to call", &response);
    for body in ["", "[", "{}", "[{\"url\": 1}]"] {
        let what = format!("/test, body {body:?}");
        let mut connection = Connection::open(addr).await?;
        let response = post_text(&mut connection, &sent("c-1"), body).await?;
        report.holds(matches!(response.status, 400 | 422), || {
            format!("{what}: status {}, want 400 or 422", response.status)
        });
        carries(report, &what, &response, "c-1");
    }
    report.equal("/test: calls", stub.take().len(), 0);
    Ok(())
}

fn answered(report: &mut Report, what: &str, response: &Response) {
    report.equal(format_args!("{what}: status"), response.status, 200);
    report.equal(format_args!("{what}: body"), response.text(), "[]");
    is_typed(report, what, response, "application/json");
    carries(report, what, response, "c-1");
}

/// Returns the JSON array that requests these calls, each with an empty array as its arguments.
pub(super) fn calls_to(urls: impl IntoIterator<Item = String>) -> Value {
    let calls = urls.into_iter();
    calls
        .map(|url| json!({"url": url, "arguments": []}))
        .collect()
}

/// Requests these calls.
pub(super) async fn post(
    connection: &mut Connection,
    headers: &[(&str, impl AsRef<[u8]>)],
    calls: &Value,
) -> io::Result<Response> {
    post_text(connection, headers, &calls.to_string()).await
}

async fn post_text(
    connection: &mut Connection,
    headers: &[(&str, impl AsRef<[u8]>)],
    body: &str,
) -> io::Result<Response> {
    let len = body.len().to_string();
    let mut lines = vec![
        ("content-type", &b"application/json"[..]),
        ("content-length", len.as_bytes()),
    ];
    lines.extend(headers.iter().map(|(name, value)| (*name, value.as_ref())));
    let mut bytes = request("POST", "/test", &lines);
    bytes.extend(body.as_bytes());
    connection.write(&bytes).await?;
    connection.read_response().await
}
