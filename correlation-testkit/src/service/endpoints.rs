//! Every endpoint gives the answer in the table, with its content type, and with the ID once.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;

use super::ServiceGaps;
use crate::checks::{carries, carries_fresh, sent};
use crate::client::request;
use crate::{Connection, NO_HEADERS, Report, Response};

/// Checks a service that has no `DOWNSTREAM`.
pub(super) async fn check(addr: SocketAddr, gaps: &ServiceGaps) -> Report {
    let mut report = Report::default();
    for (path, content_type, body) in ANSWERS {
        let exchange = async |report: &mut Report| {
            let mut connection = Connection::open(addr).await?;
            for sent_id in [Some("c-1"), None] {
                let headers: Vec<_> = sent_id.iter().flat_map(|id| sent(id)).collect();
                let response = connection.get(path, &headers).await?;
                report.equal(format_args!("{path}: status"), response.status, 200);
                is_typed(report, path, &response, content_type);
                let id = match sent_id {
                    Some(id) => {
                        carries(report, path, &response, id);
                        id.to_owned()
                    }
                    None => carries_fresh(report, path, &response),
                };
                if *content_type == JSON {
                    let want: Value = serde_json::from_str(&body(&id)).unwrap_or_default();
                    report.equal(format_args!("{path}: body"), response.json(), want);
                } else {
                    report.equal(format_args!("{path}: body"), response.text(), body(&id));
                }
            }
            Ok(())
        };
        report.part(path, exchange).await;
    }
    let bad_query = gaps.adapter.bad_query();
    let wrong_method = gaps.adapter.wrong_method();
    for (method, path, status) in [
        ("GET", "/sleepy?steps=1&ms=soon", bad_query),
        ("GET", "/sleepy?steps=-1", bad_query),
        ("GET", "/stream?chunks=many", bad_query),
        ("GET", "/stream?chunks=", bad_query),
        ("GET", "/log?n=1.5", bad_query),
        ("GET", "/fail", 500),
        ("GET", "/", 404),
        ("GET", "/ID", 404),
        ("GET", "/favicon.ico", 404),
        ("DELETE", "/id", wrong_method),
        ("PUT", "/log", wrong_method),
        ("GET", "/test", wrong_method),
    ] {
        let what = format!("{method} {path}");
        let status_only = async |report: &mut Report| {
            let mut connection = Connection::open(addr).await?;
            let kept = connection.send(method, path, &sent("c-1")).await?;
            carries(report, &what, &kept, "c-1");
            let fresh = connection.send(method, path, NO_HEADERS).await?;
            carries_fresh(report, &what, &fresh);
            for response in [kept, fresh] {
                report.equal(format_args!("{what}: status"), response.status, status);
            }
            Ok(())
        };
        report.part(&what, status_only).await;
    }
    let no_downstream = async |report: &mut Report| no_downstream(report, addr).await;
    report.part("/relay", no_downstream).await;
    let streams = async |report: &mut Report| streams(report, addr).await;
    report.part("/stream", streams).await;
    report
}

/// Checks the content type, which must be this one and be stated once. A charset may follow, and it
/// must be UTF-8.
pub(super) fn is_typed(report: &mut Report, what: &str, response: &Response, want: &str) {
    let types = response.values("content-type");
    let fits = match &types[..] {
        [one] => {
            let (essence, rest) = one.split_once(';').unwrap_or((one, ""));
            essence.trim() == want
                && ["", "charset=utf-8"].contains(&rest.trim().to_ascii_lowercase().as_str())
        }
        _ => false,
    };
    report.holds(fits, || {
        format!("{what}: content-type {types:?}, want {want}")
    });
}

async fn no_downstream(report: &mut Report, addr: SocketAddr) -> io::Result<()> {
    let what = "/relay without DOWNSTREAM";
    let mut connection = Connection::open(addr).await?;
    for path in ["/relay", "/relay?path=/id"] {
        let response = connection.get(path, &sent("c-1")).await?;
        report.equal(format_args!("{what}: status"), response.status, 503);
        carries(report, what, &response, "c-1");
        is_typed(report, what, &response, "text/plain");
        report.holds(response.text().contains("DOWNSTREAM"), || {
            format!("{what}: {:?} does not name DOWNSTREAM", response.text())
        });
    }
    Ok(())
}

/// Checks that the first line arrives before the last one is made. A body that was collected first
/// would not show that chunks have their ID.
async fn streams(report: &mut Report, addr: SocketAddr) -> io::Result<()> {
    let mut connection = Connection::open(addr).await?;
    let bytes = request("GET", "/stream?chunks=10", &sent("c-1"));
    connection.write(&bytes).await?;
    connection.read_head().await?;
    let mut chunks = Vec::new();
    while let Some(chunk) = connection.read_chunk().await? {
        chunks.push(String::from_utf8_lossy(&chunk).into_owned());
    }
    report.equal("/stream: chunks", chunks, vec!["c-1\n"; 10]);
    Ok(())
}

/// The path, the content type, and the body for an ID.
type Answer = (&'static str, &'static str, fn(&str) -> String);

const ANSWERS: &[Answer] = &[
    ("/id", TEXT, str::to_owned),
    ("/extract", TEXT, str::to_owned),
    ("/inbound", JSON, |id| {
        let source = match id {
            "c-1" => "x-correlation-id",
            _ => "generated",
        };
        format!(
            r#"{{"correlation_id": "{id}", "source": "{source}", "untrusted_id": null, "trace_id": null}}"#
        )
    }),
    ("/sleepy", JSON, |id| array(id, 3)),
    ("/sleepy?steps=2&ms=1", JSON, |id| array(id, 2)),
    ("/sleepy?ms=0&steps=1", JSON, |id| array(id, 1)),
    ("/sleepy?steps=0", JSON, |id| array(id, 0)),
    ("/stream", TEXT, |id| format!("{id}\n").repeat(3)),
    ("/stream?chunks=2", TEXT, |id| format!("{id}\n").repeat(2)),
    ("/stream?chunks=0", TEXT, |_| String::new()),
    ("/spawn", JSON, |id| {
        format!(
            r#"{{"task": "{id}", "blocking": "{id}", "thread": "{id}", "join_set": "{id}", "naked": null}}"#
        )
    }),
    ("/log", TEXT, str::to_owned),
    ("/log?n=0", TEXT, str::to_owned),
    ("/log?n=2", TEXT, str::to_owned),
];
const TEXT: &str = "text/plain";
const JSON: &str = "application/json";

fn array(id: &str, len: usize) -> String {
    format!("{:?}", vec![id; len])
}
