//! Other ways to call, and what comes of them.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use tokio::task::JoinSet;

use super::{CALLS, SpanIds, answered, note, parents};
use crate::checks::sent;
use crate::service::calls::{calls_to, post};
use crate::service::relay::{TRACE_ID, TRACEPARENT};
use crate::service::stub::Stub;
use crate::service::vectors::well_formed;
use crate::{CORRELATION_ID, Connection, Report};

/// `/relay` is a call like any other.
pub(super) async fn relayed(
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
pub(super) async fn broken(
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
pub(super) async fn known_inside(report: &mut Report, addr: SocketAddr) -> io::Result<()> {
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
pub(super) async fn many(
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

const CLIENTS: usize = 40;
