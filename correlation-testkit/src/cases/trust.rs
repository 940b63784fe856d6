//! Whose ID is taken.

use correlation_core::{Policy, Trust};

use super::trace::{TRACE_ID, TRACEPARENT};
use super::{Case, Rule};

pub(super) fn rules() -> Vec<Rule> {
    let when_told = Trust::when(|caller| caller.header("x-internal") == Some("yes"));
    let when_near = Trust::when(|caller| caller.addr().is_some_and(|addr| addr.is_loopback()));
    let when_far = Trust::when(|caller| caller.addr().is_some_and(|addr| !addr.is_loopback()));
    let distrusted = || Case::fresh("caller's ID").upstream("c-1").with(CID, "c-1");
    vec![
        Rule::new(
            "trust always",
            Policy::new().trust(Trust::Always),
            [Case::kept("caller's ID", "c-1").with(CID, "c-1")],
        ),
        Rule::new("trust never", Policy::new().trust(Trust::Never), never()),
        Rule::new(
            "trust by header",
            Policy::new().trust(when_told),
            [
                distrusted(),
                distrusted().with("x-internal", "no"),
                Case::kept("told so", "c-1")
                    .with(CID, "c-1")
                    .with("X-Internal", "yes"),
                Case::kept("told so, traceparent", TRACE_ID)
                    .from("traceparent")
                    .trace(TRACE_ID)
                    .with("traceparent", TRACEPARENT)
                    .with("X-Internal", "yes"),
                Case::fresh("told so, nothing sent").with("x-internal", "yes"),
            ],
        ),
        Rule::new(
            "trust by address, ours",
            Policy::new().trust(when_near),
            [Case::kept("caller's ID", "c-1").with(CID, "c-1")],
        ),
        Rule::new(
            "trust by address, another",
            Policy::new().trust(when_far),
            [distrusted()],
        ),
    ]
}

fn never() -> Vec<Case> {
    vec![
        Case::fresh("nothing sent"),
        Case::fresh("correlation ID")
            .upstream("c-1")
            .with(CID, "c-1"),
        Case::fresh("request ID").upstream("r-1").with(RID, "r-1"),
        Case::fresh("both")
            .upstream("c-1")
            .with(RID, "r-1")
            .with(CID, "c-1"),
        Case::fresh("first invalid, second valid")
            .upstream("r-1")
            .with(CID, "not valid")
            .with(RID, "r-1"),
        Case::fresh("invalid").with(CID, "not valid"),
        Case::fresh("too long").with(CID, "x".repeat(129)),
        Case::fresh("twice, different")
            .with(CID, "c-1")
            .with(CID, "c-2"),
        // A distrusted caller does not choose the trace either: it is restarted.
        Case::fresh("correlation ID and traceparent")
            .upstream("c-1")
            .with(CID, "c-1")
            .with("traceparent", TRACEPARENT),
        Case::fresh("traceparent")
            .upstream(TRACE_ID)
            .with("traceparent", TRACEPARENT),
    ]
}

const CID: &str = "X-Correlation-ID";
const RID: &str = "X-Request-ID";
