//! Checks the request that `/relay` sends to another service, and the answer that it passes on.

use std::io;
use std::net::SocketAddr;

use correlation_core::TraceContext;
use tokio::task::JoinSet;

use super::stub::{BODY, Stub};
use crate::checks::{carries, carries_fresh, sent};
use crate::{CORRELATION_ID, Connection, NO_HEADERS, RecordedCall, Report, Sent, TRACE, TRACE_ID};

/// Checks the outgoing request and the answer.
pub(super) async fn check(addr: SocketAddr, stub: &Stub, mode: TraceContext) -> Report {
    let mut report = Report::default();
    for case in CASES {
        let result = sends(&mut report, addr, stub, case, mode).await;
        report.ok(format_args!("/relay, {}", case.0), result);
    }
    let result = sends_fresh(&mut report, addr, stub).await;
    report.ok("/relay", result);
    let result = answers(&mut report, addr, stub).await;
    report.ok("/relay", result);
    let result = many(&mut report, addr).await;
    report.ok("/relay, many", result);
    stub.take();
    report
}

/// Checks that under `Trust::never()` neither the caller's ID nor its trace is sent.
pub(super) async fn check_distrusted(addr: SocketAddr, stub: &Stub) -> Report {
    let what = "/relay, distrusted";
    let mut report = Report::default();
    let headers = [
        (CORRELATION_ID, "from-stranger"),
        ("traceparent", TRACE),
        ("tracestate", "from=stranger"),
    ];
    let relayed = async |report: &mut Report| {
        let mut connection = Connection::open(addr).await?;
        let response = connection.get("/relay", &headers).await?;
        let id = carries_fresh(report, what, &response);
        let requests = stub.take();
        sent_once(report, what, &requests, &id);
        for request in &requests {
            for word in ["stranger", TRACE_ID] {
                report.holds(!request.mentions(word), || {
                    format!("{what}: sends the caller's {word}: {request:?}")
                });
            }
            trace_headers(report, what, request, &[], &[]);
        }
        Ok(())
    };
    report.part(what, relayed).await;
    report
}

/// Checks that exactly this request was sent, with the ID once and under one name.
fn sent_once(report: &mut Report, what: &str, requests: &[RecordedCall], id: &str) {
    report.equal(format_args!("{what}: requests"), requests.len(), 1);
    for request in requests {
        let ids = request.values(CORRELATION_ID);
        report.equal(format_args!("{what}: ID sent"), ids, [id]);
        let others = request.values("x-request-id");
        report.equal(format_args!("{what}: x-request-id sent"), others, NONE);
    }
}

/// Returns `traceparent` line by line. The lines of `tracestate` may have been joined.
pub(super) fn trace_headers(
    report: &mut Report,
    what: &str,
    request: &RecordedCall,
    traceparent: &[&str],
    tracestate: &[&str],
) {
    let got = request.values("traceparent");
    report.equal(format_args!("{what}: traceparent"), got, traceparent);
    let got = request.values("tracestate").join(",");
    let members: Vec<_> = got.split(',').map(str::trim).collect();
    let want = match tracestate {
        [] => &[""],
        members => members,
    };
    report.equal(format_args!("{what}: tracestate"), members, want);
}

async fn sends(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
    (name, headers, traceparent, tracestate): &SendCase,
    mode: TraceContext,
) -> io::Result<()> {
    let what = format!("/relay, {mode:?}, {name}");
    let headers = [&[(CORRELATION_ID, "c-1")], *headers].concat();
    let mut connection = Connection::open(addr).await?;
    let response = connection.get("/relay?path=/a/b?c=d", &headers).await?;
    report.equal(format_args!("{what}: status"), response.status, 200);
    report.equal(format_args!("{what}: body"), response.text(), "c-1");
    carries(report, &what, &response, "c-1");
    let requests = stub.take();
    sent_once(report, &what, &requests, "c-1");
    for request in &requests {
        report.equal(format_args!("{what}: line"), &*request.line, "GET /a/b?c=d");
        match mode {
            TraceContext::Off => trace_headers(report, &what, request, &[], &[]),
            _ => trace_headers(report, &what, request, traceparent, tracestate),
        }
    }
    Ok(())
}

/// Checks a request without an ID, and one whose ID has another name.
async fn sends_fresh(report: &mut Report, addr: SocketAddr, stub: &Stub) -> io::Result<()> {
    let what = "/relay, ID made here";
    let mut connection = Connection::open(addr).await?;
    let response = connection.get("/relay", NO_HEADERS).await?;
    let id = carries_fresh(report, what, &response);
    report.equal(format_args!("{what}: body"), response.text(), &*id);
    let requests = stub.take();
    sent_once(report, what, &requests, &id);
    for request in &requests {
        report.equal(format_args!("{what}: line"), &*request.line, "GET /id");
        trace_headers(report, what, request, &[], &[]);
    }
    let what = "/relay, ID from x-request-id";
    let headers = [("x-request-id", "r-1")];
    let response = connection.get("/relay", &headers).await?;
    carries(report, what, &response, "r-1");
    sent_once(report, what, &stub.take(), "r-1");
    Ok(())
}

/// Checks that every answer of the other side is passed on, except its ID.
async fn answers(report: &mut Report, addr: SocketAddr, stub: &Stub) -> io::Result<()> {
    let mut connection = Connection::open(addr).await?;
    for status in [200, 201, 400, 401, 404, 409, 429, 500, 502, 503] {
        let path = format!("/relay?path=/status/{status}");
        let response = connection.get(&path, &sent("c-1")).await?;
        report.equal(format_args!("{path}: status"), response.status, status);
        report.equal(format_args!("{path}: body"), response.text(), BODY);
        carries(report, &path, &response, "c-1");
    }
    let path = "/relay?path=@evil.example/";
    let response = connection.get(path, &sent("c-1")).await?;
    report.equal(format_args!("{path}: status"), response.status, 400);
    carries(report, path, &response, "c-1");
    stub.take();

    let path = "/relay?path=/close";
    let response = connection.get(path, &sent("c-1")).await?;
    report.holds(matches!(response.status, 502 | 504), || {
        format!("{path}: status {}, want 502 or 504", response.status)
    });
    carries(report, path, &response, "c-1");
    // A client may retry, and each attempt is the same request.
    for request in stub.take() {
        report.equal(path, request.values(CORRELATION_ID), ["c-1"]);
    }
    Ok(())
}

/// Checks many requests at once. They share the outbound connections, but not their IDs.
async fn many(report: &mut Report, addr: SocketAddr) -> io::Result<()> {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(async move {
            let mut connection = Connection::open(addr).await?;
            let mut pairs = Vec::new();
            for round in 0..ROUNDS {
                let id = format!("relay-{client}-{round}");
                let response = connection.get("/relay", &sent(&id)).await?;
                pairs.push((response.text().into_owned(), id));
            }
            Ok::<_, io::Error>(pairs)
        });
    }
    let mut relayed = 0;
    while let Some(pairs) = clients.join_next().await {
        for (got, want) in pairs?? {
            report.equal("/relay, many", got, want);
            relayed += 1;
        }
    }
    report.equal("/relay, many: requests", relayed, CLIENTS * ROUNDS);
    Ok(())
}

/// The name, the inbound headers, the `traceparent` that is sent, and the members of the
/// `tracestate` that is sent.
type SendCase = (&'static str, &'static [Line], Values, Values);
type Line = (&'static str, &'static str);
type Values = &'static [&'static str];

const CASES: &[SendCase] = &[
    ("nothing", &[], &[], &[]),
    ("traceparent", &[TP], &[TRACE], &[]),
    ("not sampled", &[(TP.0, NOT_SAMPLED)], &[NOT_SAMPLED], &[]),
    ("both", &[TP, (TS, "b=2,a=1")], &[TRACE], BOTH),
    (
        "tracestate in two lines",
        &[(TS, "b=2"), TP, A1],
        &[TRACE],
        BOTH,
    ),
    ("tracestate alone", &[A1], &[], &[]),
    (
        "traceparent invalid",
        &[(TP.0, "00-not-valid"), A1],
        &[],
        &[],
    ),
    ("traceparent twice", &[TP, TP, A1], &[], &[]),
    ("tracestate invalid", &[TP, (TS, "a=1,===")], &[TRACE], &[]),
];
const TP: Line = ("traceparent", TRACE);
const TS: &str = "tracestate";
const A1: Line = (TS, "a=1");
const BOTH: Values = &["b=2", "a=1"];
const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const NONE: [&str; 0] = [];
const CLIENTS: usize = 50;
const ROUNDS: usize = 3;
