//! The callers whose ID is taken.

use correlation_core::{Policy, Source, Trust};

use super::case::{BAD, C1, C2, CID, Line, R1, T, TP, makes, takes};
use super::{Case, Rule};
use crate::TRACE_ID;

pub(super) fn rules() -> Vec<Rule> {
    let when_told = Trust::when(|caller| caller.header("x-internal") == Some("yes"));
    let when_near = Trust::when(|caller| caller.addr().is_some_and(|addr| addr.is_loopback()));
    let when_far = Trust::when(|caller| caller.addr().is_some_and(|addr| !addr.is_loopback()));
    let networks = |networks: &[&str]| Policy::new().trust(Trust::networks(networks));
    let last_address = Trust::when(|caller| {
        let last = caller.headers("x-forwarded-for").last();
        let last = last.and_then(|line| line.rsplit(',').next());
        last.map(str::trim) == Some("10.0.0.7")
    });
    let distrusted = |more: &[Line]| distrusted("caller's ID", C1).sends(more);
    let [near, far] = ["10.0.0.7", "192.0.2.1"].map(|addr| ("X-Forwarded-For", addr));
    vec![
        Rule::new(
            "trust always",
            Policy::new().trust(Trust::always()),
            [takes("caller's ID", C1, &[C1])],
        ),
        Rule::new("trust never", Policy::new().trust(Trust::never()), never()),
        Rule::new(
            "trust by header",
            Policy::new().trust(when_told),
            [
                distrusted(&[]),
                distrusted(&[("x-internal", "no")]),
                takes("told so", C1, &[C1, ("X-Internal", "yes")]),
                takes("told so, traceparent", T, &[TP, ("X-Internal", "yes")]),
                makes("told so, nothing sent", &[("x-internal", "yes")]),
                takes(
                    "told so twice",
                    C1,
                    &[C1, ("x-internal", "yes"), ("X-Internal", "yes")],
                ),
                distrusted(&[("x-internal", "yes"), ("x-internal", "no")]),
                distrusted(&[("x-internal", "no"), ("x-internal", "yes")]),
                distrusted(&[("x-internal", "yes, no")]),
                makes("not told, traceparent", &[TP]).untrusted(TRACE_ID),
            ],
        ),
        Rule::new(
            "trust by the last line of a header",
            Policy::new().trust(last_address),
            [
                takes(
                    "in a line",
                    C1,
                    &[C1, ("X-Forwarded-For", "192.0.2.1, 10.0.0.7")],
                ),
                takes("in a line of its own", C1, &[C1, far, near]),
                distrusted(&[near, far]),
            ],
        ),
        Rule::new(
            "trust by network, ours",
            networks(&["192.0.2.0/24", "127.0.0.0/8", "::1"]),
            [
                takes("caller's ID", C1, &[C1]),
                takes("caller's trace", T, &[TP]),
            ],
        ),
        Rule::new(
            "trust by network, another",
            networks(&["10.0.0.0/8", "fd00::/8"]),
            [
                distrusted(&[]),
                distrusted(&[
                    ("X-Forwarded-For", "10.0.0.1"),
                    ("X-Real-IP", "10.0.0.1"),
                    ("Forwarded", "for=10.0.0.1"),
                ]),
                makes("caller's trace", &[TP]).untrusted(TRACE_ID),
            ],
        ),
        Rule::new(
            "trust never, traceparent is no source",
            Policy::new()
                .trust(Trust::never())
                .sources([Source::header(CID)]),
            [makes("traceparent", &[TP]), distrusted(&[TP])],
        ),
        Rule::new(
            "trust by address, ours",
            Policy::new().trust(when_near),
            [takes("caller's ID", C1, &[C1])],
        ),
        Rule::new(
            "trust by address, another",
            Policy::new().trust(when_far),
            [distrusted(&[])],
        ),
    ]
}

fn never() -> Vec<Case> {
    vec![
        makes("nothing sent", &[]),
        distrusted("correlation ID", C1),
        distrusted("request ID", R1),
        makes("both", &[R1, C1]).untrusted("c-1"),
        makes("first invalid, second valid", &[BAD, R1]).untrusted("r-1"),
        distrusted("that looks like a field", (CID, "|correlation_id=victim")),
        makes("joined, identical", &[(CID, "c-1, c-1")]).untrusted("c-1"),
        makes("a placeholder", &[(CID, "null")]),
        makes("invalid", &[BAD]),
        makes("too long", &[]).with(CID, "x".repeat(129)),
        makes("twice, different", &[C1, C2]),
        // A caller that is not trusted does not choose the trace either: the trace is restarted.
        distrusted("correlation ID and traceparent", C1).sends(&[TP]),
        makes("traceparent", &[TP]).untrusted(TRACE_ID),
    ]
}

/// This line is sent, and the policy does not trust it.
fn distrusted(name: &str, line: Line) -> Case {
    makes(name, &[line]).untrusted(line.1)
}
