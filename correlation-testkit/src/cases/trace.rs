//! W3C `traceparent`: which values are valid, and what a valid one means for the ID.

use correlation_core::{Policy, TraceContext};

use super::case::{C1, T, TP, takes};
use super::{Case, Rule};
use crate::vectors::{self, Goes, Vector};

pub(super) fn vectors() -> Vec<Case> {
    let mut rows = vectors::all();
    // The rules of `tracestate` do not affect the ID. One very bad list covers all of them.
    rows.retain(|row| row.over_http && row.rule.starts_with('P'));
    // An adapter whose server drops lines reads the rows about such lines differently.
    rows.retain(|row| row.goes == row.without_bad_lines);
    let mut cases: Vec<_> = rows.iter().flat_map(of_row).collect();
    let bad = ("tracestate", "===,;");
    cases.push(takes("with a bad tracestate", T, &[TP, bad]));
    cases
}

/// Returns the meaning of the row for the ID, and that it has none beside an ID.
fn of_row(row: &Vector) -> [Case; 2] {
    let lines = row.lines.iter();
    let name = lines
        .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
        .collect::<Vec<_>>()
        .join(", ");
    // Some names would have 8 kB.
    let name = format!("{}, {name:.200}", row.rule);
    let beside = Case::kept(format!("ID beside {name}"), "c-1").sends(&[C1]);
    let (case, beside) = match &row.goes {
        Goes::On { parent, .. } => {
            let trace_id = &parent[3..35];
            let case = Case::kept(name, trace_id).from("traceparent");
            (case.trace(trace_id), beside.trace(trace_id))
        }
        Goes::Nowhere => (Case::fresh(name), beside),
    };
    [case, beside].map(|case| {
        let lines = row.lines.iter();
        lines.fold(case, |case, (name, value)| case.with(name, value))
    })
}

pub(super) fn rules() -> Vec<Rule> {
    let off = Policy::new().trace_context(TraceContext::Off);
    vec![Rule::new(
        "trace context off",
        off,
        [
            takes("an ID header is taken", C1, &[C1]),
            Case::kept("the trace-id is still an ID", T.1)
                .from(T.0)
                .sends(&[TP]),
        ],
    )]
}
