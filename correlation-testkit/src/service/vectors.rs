//! The table of W3C Trace Context, checked from socket to socket. So it covers the changes that a
//! framework makes to header lines before the library sees them, and those of a client afterwards.

use std::io;
use std::net::SocketAddr;

use correlation_core::TraceContext;

use super::calls::{calls_to, post};
use super::stub::Stub;
use crate::vectors::{self as table, Goes, Vector};
use crate::{Connection, Gaps, RecordedCall, Report};

/// Sends every row to `/test`, which calls the stub twice.
pub(super) async fn check(
    addr: SocketAddr,
    stub: &Stub,
    mode: TraceContext,
    gaps: &Gaps,
) -> Report {
    let mut report = Report::default();
    let mut rows = table::all();
    rows.retain(|row| row.over_http);
    if mode == TraceContext::Off {
        // No headers are read in this mode, so one row of each rule is enough.
        rows.sort_by_key(|row| row.rule);
        rows.dedup_by_key(|row| row.rule);
    }
    for row in &mut rows {
        if gaps.drops_non_utf8_headers {
            row.goes = row.without_bad_lines.clone();
        }
    }
    let result = send_all(&mut report, addr, stub, mode, &rows).await;
    report.ok(format_args!("/test, {mode:?}"), result);
    report.with_exactly(format_args!("/test, {mode:?}"), rows.len())
}

async fn send_all(
    report: &mut Report,
    addr: SocketAddr,
    stub: &Stub,
    mode: TraceContext,
    rows: &[Vector],
) -> io::Result<()> {
    let mut connection = Connection::open(addr).await?;
    let calls = calls_to([stub.url(), stub.url()]);
    for row in rows {
        let response = post(&mut connection, &row.lines, &calls).await?;
        let judged = match response.status {
            200 => judge(row, mode, &stub.take()),
            status => Err(format!("status {status}")),
        };
        report.holds(judged.is_ok(), || {
            let (rule, section) = (row.rule, row.section);
            let lines = row.lines.iter();
            let lines: Vec<_> = lines
                .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
                .collect();
            let problem = judged.unwrap_err();
            format!("/test, {mode:?}, {rule} ({section}), {lines:#?}: {problem}")
        });
    }
    Ok(())
}

/// Returns the fault in the two calls that one request made.
fn judge(row: &Vector, mode: TraceContext, calls: &[RecordedCall]) -> Result<(), String> {
    let [first, second] = calls else {
        return Err(format!("{} calls, want 2", calls.len()));
    };
    for call in calls {
        judge_call(row, mode, call)?;
    }
    let parents = [first.values("traceparent"), second.values("traceparent")];
    let alike = parents[0] == parents[1];
    match mode {
        TraceContext::Participate { .. } if alike => Err(format!("the same twice: {parents:?}")),
        TraceContext::Participate { .. } if parents[0][0][..36] != parents[1][0][..36] => {
            Err(format!("two traces: {parents:?}"))
        }
        TraceContext::Participate { .. } => Ok(()),
        _ if alike => Ok(()),
        _ => Err(format!("not the same: {parents:?}")),
    }
}

fn judge_call(row: &Vector, mode: TraceContext, call: &RecordedCall) -> Result<(), String> {
    let (parents, states) = (call.values("traceparent"), call.values("tracestate"));
    // The call is a separate request: no other header of the caller goes with it.
    let others = row.lines.iter().map(|(name, _)| name);
    let others: Vec<_> = others
        .filter(|name| !["traceparent", "tracestate"].contains(&&*name.to_ascii_lowercase()))
        .filter(|name| !call.values(name).is_empty())
        .collect();
    if !others.is_empty() {
        return Err(format!("sends {others:?}"));
    }
    let participates = matches!(mode, TraceContext::Participate { .. });
    let state = match &row.goes {
        Goes::On { state, .. } if mode != TraceContext::Off => state.as_str(),
        _ => "",
    };
    if states.concat() != state || states.len() > 1 || states.contains(&String::new()) {
        return Err(format!("tracestate {states:?}, want {state:?}"));
    }
    match (&row.goes, &parents[..]) {
        (_, []) if mode == TraceContext::Off => Ok(()),
        (Goes::Nowhere, []) if !participates => Ok(()),
        (Goes::On { parent, .. }, [sent]) if mode == TraceContext::Forward && sent == parent => {
            Ok(())
        }
        (Goes::On { parent, .. }, [sent]) if participates && continues(sent, parent) => Ok(()),
        (Goes::Nowhere, [sent]) if participates && begins(sent) => Ok(()),
        (goes, sent) => Err(format!("traceparent {sent:?}, want {goes:?}")),
    }
}

/// Returns whether the two are the same except for a new parent-id.
fn continues(sent: &str, parent: &str) -> bool {
    well_formed(sent)
        && sent[..36] == parent[..36]
        && sent[52..] == parent[52..]
        && sent[36..52] != parent[36..52]
}

/// Returns whether this begins a trace. It is not sampled, because no code records it here, and it
/// is random.
fn begins(sent: &str) -> bool {
    let theirs = [table::TRACE_ID, table::PARENT_ID];
    well_formed(sent) && sent.ends_with("-02") && !theirs.iter().any(|id| sent.contains(id))
}

pub(super) fn well_formed(traceparent: &str) -> bool {
    let parts: Vec<_> = traceparent.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    let digits = |part: &&str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let zero = |part: &str| part.bytes().all(|b| b == b'0');
    lengths == [2, 32, 16, 2]
        && parts.iter().all(digits)
        && parts[0] == "00"
        && !zero(parts[1])
        && !zero(parts[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(lines: &[(&str, &str)]) -> RecordedCall {
        let headers = lines
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let mut call = RecordedCall::default();
        call.headers = headers.collect();
        call
    }

    fn row() -> Vector {
        let mut rows = table::all().into_iter();
        let is = |row: &Vector| matches!(&row.goes, Goes::On { state, .. } if state == "a=1");
        rows.find(is).expect("a row that goes on")
    }

    const SENT: [(&str, &str); 2] = [
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        ("tracestate", "a=1"),
    ];
    const OWN: (&str, &str) = (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000aa-01",
    );
    const OTHER: (&str, &str) = (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000bb-01",
    );

    #[test]
    fn right_calls_pass() {
        let participate = TraceContext::Participate { sampled: false };
        let state = SENT[1];
        let right = [
            (TraceContext::Forward, [call(&SENT), call(&SENT)]),
            (TraceContext::Off, [call(&[]), call(&[])]),
            (participate, [call(&[OWN, state]), call(&[OTHER, state])]),
        ];
        for (mode, calls) in right {
            assert_eq!(judge(&row(), mode, &calls), Ok(()), "{mode:?}");
        }
    }

    #[test]
    fn wrong_calls_are_found() {
        let participate = TraceContext::Participate { sampled: false };
        let state = SENT[1];
        let (own, other) = (call(&[OWN, state]), call(&[OTHER, state]));
        let (same, none) = (call(&SENT), call(&[]));
        let zero = (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        );
        let flag = (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000cc-00",
        );
        for (mode, calls) in [
            (TraceContext::Forward, vec![same.clone()]),
            (TraceContext::Forward, vec![none.clone(), none.clone()]),
            (TraceContext::Forward, vec![own.clone(), own.clone()]),
            (TraceContext::Forward, vec![call(&SENT[..1]); 2]),
            (
                TraceContext::Forward,
                vec![call(&[SENT[0], SENT[0], state]); 2],
            ),
            (
                TraceContext::Forward,
                vec![call(&[SENT[0], state, state]); 2],
            ),
            (TraceContext::Off, vec![same.clone(), same.clone()]),
            (participate, vec![none.clone(), none]),
            (participate, vec![own.clone(), own.clone()]),
            (participate, vec![own.clone(), same]),
            (participate, vec![own.clone(), call(&[zero, state])]),
            (participate, vec![own.clone(), call(&[flag, state])]),
            (participate, vec![own, call(&[OTHER])]),
        ] {
            assert!(judge(&row(), mode, &calls).is_err(), "{mode:?} {calls:?}");
        }
        let mut nowhere = row();
        nowhere.goes = Goes::Nowhere;
        let kept = [call(&[OWN]), call(&[OTHER])];
        assert!(judge(&nowhere, participate, &kept).is_err());
        assert!(judge(&nowhere, TraceContext::Forward, &[other.clone(), other]).is_err());
    }
}
