//! Which trace a call is in: the caller's, or one that began here.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use super::{CALLS, SpanIds, answered, has_no_state, note, parents};
use crate::checks::{carries, sent};
use crate::service::calls::{calls_to, post};
use crate::service::relay::{TRACE_ID, TRACEPARENT};
use crate::service::stub::Stub;
use crate::{CORRELATION_ID, Connection, Report};

/// A trace that came in: each call has a parent-id of its own, and all else as it came.
pub(super) async fn continued(
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
pub(super) async fn begun(
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
pub(super) async fn named(
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
