//! W3C `traceparent`: what is valid, and what a valid one means for the ID.

use correlation_core::{Policy, TraceContext};

use super::{Case, Rule};
use crate::vectors::{self, Goes, Vector};

pub(super) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub(super) const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

pub(super) fn vectors() -> Vec<Case> {
    let mut rows = vectors::all();
    // The rules of `tracestate` are nothing to the ID: one list, as bad as can be, does for all.
    rows.retain(|row| row.over_http && row.rule.starts_with('P'));
    // An adapter whose server drops lines reads the rows that are about those differently.
    rows.retain(|row| row.goes == row.without_bad_lines);
    let mut cases: Vec<_> = rows.iter().flat_map(of_row).collect();
    cases.push(taken("with a bad tracestate", TRACEPARENT).with("tracestate", "===,;"));
    cases
}

/// What the row means for the ID; and that it means nothing beside an ID.
fn of_row(row: &Vector) -> [Case; 2] {
    let lines = row.lines.iter();
    let name = lines
        .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
        .collect::<Vec<_>>()
        .join(", ");
    // Some are of 8 kB.
    let name = format!("{}, {name:.200}", row.rule);
    let beside = Case::kept(format!("ID beside {name}"), "c-1").with("X-Correlation-ID", "c-1");
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
            Case::kept("an ID header is taken", "c-1").with("X-Correlation-ID", "c-1"),
            Case::kept("the trace-id is still an ID", TRACE_ID)
                .from("traceparent")
                .with("traceparent", TRACEPARENT),
        ],
    )]
}

fn taken(name: impl Into<String>, value: &str) -> Case {
    Case::kept(name, TRACE_ID)
        .from("traceparent")
        .trace(TRACE_ID)
        .with("traceparent", value)
}
