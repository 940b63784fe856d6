//! `TRACE_CONTEXT=participate`: what the table of vectors cannot say.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use tokio::task::JoinSet;

use super::calls::{calls_to, post};
use super::records::Record;
use super::relay::{TRACE_ID, TRACEPARENT};
use super::stub::{Received, Stub};
use super::vectors::well_formed;
use crate::checks::{carries, sent};
use crate::{CORRELATION_ID, Connection, Report, Response};

/// The parent-ids of all calls in the order in which they were made, each with the correlation ID
/// and the trace-id of its request.
pub(super) type SpanIds = Vec<[String; 3]>;

/// Asks for calls in every way.
pub(super) async fn check(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
) -> io::Result<SpanIds> {
    let mut made = SpanIds::new();
    continued(report, addr, stub, &mut made).await?;
    begun(report, addr, stub, &mut made).await?;
    named(report, addr, stub, &mut made).await?;
    relayed(report, addr, stub, &mut made).await?;
    broken(report, addr, stub, &mut made).await?;
    known_inside(report, addr).await?;
    many(report, addr, stub, &mut made).await?;
    Ok(made)
}

/// Every call is in the log under its parent-id, beside the IDs of its request.
pub(super) fn check_log(report: &mut Report, made: &SpanIds, records: &[Record]) {
    let logged = records.iter().filter_map(|record| {
        let span_id = record.span_id.clone()?;
        let only = |ids: &[String]| ids.join(" and ");
        Some([span_id, only(&record.ids), only(&record.trace_ids)])
    });
    let logged: BTreeSet<_> = logged.collect();
    let made: BTreeSet<_> = made.iter().cloned().collect();
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

/// A trace that came in: each call has a parent-id of its own, and all else as it came.
async fn continued(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
    made: &mut SpanIds,
) -> io::Result<()> {
    let mut connection = Connection::open(addr).await?;
    for flags in ["00", "01", "02", "03"] {
        let what = format!("participate, flags {flags}");
        let traceparent = format!("{}-{flags}", &TRACEPARENT[..52]);
        let headers = [
            (CORRELATION_ID, "c-1"),
            ("traceparent", &traceparent),
            ("tracestate", "b= 2"),
            ("tracestate", "a=1"),
        ];
        let urls = (0..CALLS).map(|_| stub.url());
        let response = post(&mut connection, &headers, &calls_to(urls)).await?;
        answered(report, &what, &response, 200);
        let calls = stub.take();
        let parents = parents(report, &what, &calls, CALLS);
        for parent in &parents {
            report.equal(&what, &parent[..36], &TRACEPARENT[..36]);
            report.equal(&what, &parent[52..], &traceparent[52..]);
            report.holds(parent[36..52] != TRACEPARENT[36..52], || {
                format!("{what}: the caller's parent-id: {parent}")
            });
        }
        for call in &calls {
            report.equal(&what, call.values(CORRELATION_ID), ["c-1"]);
            report.equal(&what, call.values("tracestate"), ["b= 2,a=1"]);
        }
        note(made, "c-1", &parents);
    }
    Ok(())
}

/// No trace came in, so one begins: the same for all calls of a request.
async fn begun(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
    made: &mut SpanIds,
) -> io::Result<()> {
    let mut connection = Connection::open(addr).await?;
    let mut traces = BTreeSet::new();
    for headers in [
        &[][..],
        &[("tracestate", "a=1")],
        &[("traceparent", "00-bad")],
    ] {
        let what = format!("participate, {headers:?}");
        let urls = (0..CALLS).map(|_| stub.url());
        let response = post(&mut connection, headers, &calls_to(urls)).await?;
        report.equal(&what, response.status, 200);
        let id = response.ids().concat();
        let calls = stub.take();
        let parents = parents(report, &what, &calls, CALLS);
        for parent in &parents {
            // The ID was made here too: one search finds both.
            report.equal(&what, &parent[3..35], id.replace('-', ""));
            report.equal(&what, &parent[52..], "-02");
            traces.insert(parent[3..35].to_owned());
        }
        for call in &calls {
            report.equal(&what, call.values(CORRELATION_ID), [&*id]);
            has_no_state(report, &what, call);
        }
        note(made, &id, &parents);
    }
    report.equal("participate: traces of three requests", traces.len(), 3);
    Ok(())
}

/// The caller's ID is the trace-id where it has the form of one. What is random in it, if
/// anything, only the caller knows.
async fn named(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
    made: &mut SpanIds,
) -> io::Result<()> {
    let mut connection = Connection::open(addr).await?;
    for (id, trace_id, flags) in [
        (
            "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
            Some(TRACE_ID),
            "-00",
        ),
        (TRACE_ID, Some(TRACE_ID), "-00"),
        ("00000000-0000-0000-0000-000000000000", None, "-02"),
        ("click-1", None, "-02"),
    ] {
        let what = format!("participate, ID {id}");
        let calls = calls_to([stub.url(), stub.url()]);
        let response = post(&mut connection, &sent(id), &calls).await?;
        carries(report, &what, &response, id);
        let parents = parents(report, &what, &stub.take(), 2);
        for parent in &parents {
            report.equal(&what, &parent[52..], flags);
            report.equal(
                &what,
                &parent[3..35],
                trace_id.unwrap_or(&parents[0][3..35]),
            );
        }
        note(made, id, &parents);
    }
    Ok(())
}

/// `/relay` is a call like any other.
async fn relayed(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
    made: &mut SpanIds,
) -> io::Result<()> {
    let what = "participate, /relay";
    let mut connection = Connection::open(addr).await?;
    let headers = [(CORRELATION_ID, "c-1"), ("traceparent", TRACEPARENT)];
    let response = connection.get("/relay", &headers).await?;
    answered(report, what, &response, 200);
    // What goes back is the ID alone.
    for name in ["traceparent", "tracestate", "traceresponse"] {
        report.equal(
            format_args!("{what}: {name}"),
            response.values(name).len(),
            0,
        );
    }
    let parents = parents(report, what, &stub.take(), 1);
    for parent in &parents {
        report.equal(what, &parent[..36], &TRACEPARENT[..36]);
    }
    note(made, "c-1", &parents);
    Ok(())
}

/// Whatever the other side answers, the next call is made; one that gets no answer is the last.
async fn broken(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
    made: &mut SpanIds,
) -> io::Result<()> {
    let what = "participate, a call that fails";
    let mut connection = Connection::open(addr).await?;
    let url = |path: &str| format!("{}{path}", stub.url());
    let headers = [(CORRELATION_ID, "c-1"), ("traceparent", TRACEPARENT)];
    let paths = ["/status/500", "/status/404", "/last"];
    let response = post(&mut connection, &headers, &calls_to(paths.map(url))).await?;
    answered(report, what, &response, 200);
    let answers = parents(report, what, &stub.take(), 3);
    note(made, "c-1", &answers);

    let calls = calls_to(["/first", "/close", "/never"].map(url));
    let response = post(&mut connection, &headers, &calls).await?;
    answered(report, what, &response, 502);
    let calls = stub.take();
    report.holds(!calls.iter().any(|call| call.mentions("/never")), || {
        format!("{what}: a call after it: {calls:?}")
    });
    // A client may try again on a new connection: that is the same call.
    let tried: BTreeSet<_> = calls
        .iter()
        .map(|call| call.values("traceparent"))
        .collect();
    report.equal(format_args!("{what}: calls"), tried.len(), 2);
    let tried: Vec<_> = tried.into_iter().flatten().collect();
    report.holds(tried.iter().all(|parent| well_formed(parent)), || {
        format!("{tried:?}")
    });
    note(made, "c-1", &tried);
    Ok(())
}

/// The handler can ask for the trace-id, of a trace that began here too.
async fn known_inside(report: &mut Report, addr: SocketAddr) -> io::Result<()> {
    let mut connection = Connection::open(addr).await?;
    let response = connection
        .get("/inbound", &[("traceparent", TRACEPARENT)])
        .await?;
    report.equal(
        "participate, /inbound",
        &response.json()["trace_id"],
        TRACE_ID,
    );
    let headers = sent("4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
    let response = connection.get("/inbound", &headers).await?;
    report.equal(
        "participate, /inbound",
        &response.json()["trace_id"],
        TRACE_ID,
    );
    Ok(())
}

/// At the same time: no request has another's trace, and no two calls the same parent-id.
async fn many(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
    made: &mut SpanIds,
) -> io::Result<()> {
    let what = "participate, many";
    let mut clients = JoinSet::new();
    // Zero is no trace-id.
    for client in 1..=CLIENTS {
        let calls = calls_to((0..CALLS).map(|_| stub.url()));
        clients.spawn(async move {
            let id = format!("many-{client}");
            let traceparent = format!("00-{client:032x}-00f067aa0ba902b7-01");
            let headers = [(CORRELATION_ID, &*id), ("traceparent", &traceparent)];
            let mut connection = Connection::open(addr).await?;
            post(&mut connection, &headers, &calls).await
        });
    }
    while let Some(answered) = clients.join_next().await {
        report.equal(what, answered??.status, 200);
    }
    let calls = stub.take();
    let parents = parents(report, what, &calls, CLIENTS * CALLS);
    for (call, parent) in calls.iter().zip(&parents) {
        let id = call.values(CORRELATION_ID).concat();
        let trace_id = u128::from_str_radix(&parent[3..35], 16);
        let owner = trace_id.map(|client| format!("many-{client}"));
        report.equal(what, owner.as_deref(), Ok(&*id));
        note(made, &id, std::slice::from_ref(parent));
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

const CALLS: usize = 5;
const CLIENTS: usize = 40;
