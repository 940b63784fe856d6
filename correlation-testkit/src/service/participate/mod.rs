//! `TRACE_CONTEXT=participate`: what the table of vectors cannot say.

mod requests;
mod traces;

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use super::calls::{calls_to, post};
use super::records::Record;
use super::relay::{TRACE_ID, TRACEPARENT};
use super::stub::{Received, Stub};
use super::vectors::well_formed;
use crate::checks::carries;
use crate::{CORRELATION_ID, Connection, Report, Response};

/// The parent-ids of all calls, each with the correlation ID and the trace-id of its request.
pub(super) type SpanIds = Vec<[String; 3]>;

/// Asks for calls in every way.
pub(super) async fn check(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
) -> io::Result<SpanIds> {
    let mut made = SpanIds::new();
    traces::continued(report, addr, stub, &mut made).await?;
    traces::begun(report, addr, stub, &mut made).await?;
    traces::named(report, addr, stub, &mut made).await?;
    requests::relayed(report, addr, stub, &mut made).await?;
    requests::broken(report, addr, stub, &mut made).await?;
    requests::known_inside(report, addr).await?;
    requests::many(report, addr, stub, &mut made).await?;
    Ok(made)
}

/// Every call is in the log under its parent-id, beside the IDs of its request.
pub(super) fn check_log(report: &mut Report, made: &SpanIds, records: &[Record]) {
    let logged = records.iter().filter_map(|record| {
        let span_id = record.span_id.clone()?;
        let only = |ids: &[String]| ids.join(" and ");
        Some([span_id, only(&record.ids), only(&record.trace_ids)])
    });
    let mut logged: SpanIds = logged.collect();
    let mut made = made.clone();
    logged.sort();
    made.sort();
    report.equal("span_id in the log", logged, made);
}

/// The trace of somebody who is not trusted ends here, and one of our own begins.
pub(super) async fn check_distrusted(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
) -> io::Result<()> {
    let what = "participate, distrusted";
    let headers = [
        (CORRELATION_ID, "from-stranger"),
        ("traceparent", TRACEPARENT),
        ("tracestate", "from=stranger"),
    ];
    let mut connection = Connection::open(addr).await?;
    post(
        &mut connection,
        &headers,
        &calls_to([stub.url(), stub.url()]),
    )
    .await?;
    let calls = stub.take();
    parents(report, what, &calls, 2);
    for call in &calls {
        for word in ["stranger", TRACE_ID, &TRACEPARENT[36..52]] {
            report.holds(!call.mentions(word), || format!("{what}: {word}: {call:?}"));
        }
        has_no_state(report, what, call);
    }
    Ok(())
}

fn answered(report: &mut Report, what: &str, response: &Response, status: u16) {
    report.equal(format_args!("{what}: status"), response.status, status);
    carries(report, what, response, "c-1");
}

/// One valid `traceparent` for each call, all of them different.
fn parents(report: &mut Report, what: &str, calls: &[Received], count: usize) -> Vec<String> {
    report.equal(format_args!("{what}: calls"), calls.len(), count);
    let lines = calls.iter().map(|call| call.values("traceparent"));
    let valid = |lines: &Vec<String>| matches!(&lines[..], [one] if well_formed(one));
    let parents: Vec<_> = lines.filter(valid).flatten().collect();
    report.equal(
        format_args!("{what}: valid traceparents"),
        parents.len(),
        count,
    );
    let distinct: BTreeSet<_> = parents.iter().map(|parent| &parent[36..52]).collect();
    report.equal(format_args!("{what}: parent-ids"), distinct.len(), count);
    parents
}

fn has_no_state(report: &mut Report, what: &str, call: &Received) {
    let states = call.values("tracestate");
    report.holds(states.is_empty(), || {
        format!("{what}: tracestate {states:?}")
    });
}

fn note(made: &mut SpanIds, id: &str, parents: &[String]) {
    let ids = parents
        .iter()
        .map(|parent| [&parent[36..52], id, &parent[3..35]].map(str::to_owned));
    made.extend(ids);
}

/// What one request asks for.
const CALLS: usize = 5;
