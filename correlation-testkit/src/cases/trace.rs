//! W3C `traceparent`: what is valid, and what a valid one means for the ID.

use correlation_core::{Policy, TraceContext};

use super::{Case, Rule};

pub(super) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub(super) const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

pub(super) fn vectors() -> Vec<Case> {
    let mut cases: Vec<_> = VALID
        .iter()
        .map(|value| taken(format!("valid {value}"), value))
        .collect();
    cases.push(taken("white space around", &format!(" \t{TRACEPARENT} \t")));
    cases.push(taken("with tracestate", TRACEPARENT).with("tracestate", "a=1,b=2"));
    cases.push(taken("with a bad tracestate", TRACEPARENT).with("tracestate", "===,;"));
    cases.push(
        Case::kept("name in upper case", TRACE_ID)
            .from("traceparent")
            .trace(TRACE_ID)
            .with("TraceParent", TRACEPARENT),
    );
    for value in INVALID {
        cases.push(Case::fresh(format!("invalid {value}")).with("traceparent", value));
        cases.push(
            Case::kept(format!("ID beside invalid {value}"), "c-1")
                .with("X-Correlation-ID", "c-1")
                .with("traceparent", value),
        );
    }
    let not_utf8 = [&TRACEPARENT.as_bytes()[..54], &[0xFF]].concat();
    cases.push(Case::fresh("not UTF-8").with("traceparent", not_utf8));
    cases.push(Case::fresh("trace-parent").with("trace-parent", TRACEPARENT));
    cases.push(Case::fresh("tracestate alone").with("tracestate", "a=1"));
    cases.extend(duplicates());
    cases
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

fn duplicates() -> Vec<Case> {
    let other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    vec![
        Case::fresh("twice, identical")
            .with("traceparent", TRACEPARENT)
            .with("traceparent", TRACEPARENT),
        Case::fresh("twice, identical, names differ in case")
            .with("traceparent", TRACEPARENT)
            .with("Traceparent", TRACEPARENT),
        Case::fresh("twice, different")
            .with("traceparent", TRACEPARENT)
            .with("traceparent", other),
        Case::fresh("twice, the second invalid")
            .with("traceparent", TRACEPARENT)
            .with("traceparent", "invalid"),
        Case::kept("ID beside two", "c-1")
            .with("traceparent", TRACEPARENT)
            .with("traceparent", TRACEPARENT)
            .with("X-Correlation-ID", "c-1"),
    ]
}

fn taken(name: impl Into<String>, value: &str) -> Case {
    Case::kept(name, TRACE_ID)
        .from("traceparent")
        .trace(TRACE_ID)
        .with("traceparent", value)
}

const VALID: &[&str] = &[
    TRACEPARENT,
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff",
    "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
    "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what.comes",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "fe-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
];

const INVALID: &[&str] = &[
    "",
    "00",
    "invalid",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
    "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A",
    "CC-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
    "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-011",
    "00-4bf92f3577b34da6a3ce929d0e0e47366-00f067aa0ba902b-01",
    "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-001",
    "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
    "004bf92f3577b34da6a3ce929d0e0e473600f067aa0ba902b701",
    "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
    "00- bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01,00",
];
