//! The header from which the ID is taken.

use correlation_core::{Policy, Source};

use super::case::{BAD, C1, C2, CID, Line, R1, RID, T, TP, makes, takes};
use super::{Case, Rule};

pub(super) fn default_order() -> Vec<Case> {
    [precedence(), names(), duplicates()].concat()
}

pub(super) fn rules() -> Vec<Rule> {
    let swapped = Policy::new().headers(["x-request-id", "x-correlation-id"]);
    let own = Policy::new().headers(["X-Transaction-ID"]);
    let trace_first = Policy::new().headers(["traceparent", "x-correlation-id"]);
    let trace_never = Policy::new().sources([CID, RID].map(Source::header));
    let t1 = ("x-transaction-id", "t-1");
    vec![
        Rule::new(
            "headers in another order",
            swapped,
            [
                takes("both", R1, &[C1, R1]),
                takes("second only", C1, &[C1]),
                takes("first invalid", C1, &[(RID, "not valid"), C1]),
            ],
        ),
        Rule::new(
            "a header of one's own",
            own,
            [
                takes("it is taken", t1, &[t1, C1]),
                makes("others are not", &[C1, R1]),
                takes("traceparent still is", T, &[C1, TP]),
            ],
        ),
        Rule::new(
            "traceparent first",
            trace_first,
            [
                takes("both", T, &[C1, TP]),
                takes("traceparent invalid", C1, &[C1, ("traceparent", "invalid")]),
            ],
        ),
        Rule::new(
            "traceparent is no source",
            trace_never,
            [
                makes("traceparent", &[TP]).traced(),
                takes("both", C1, &[C1, TP]).traced(),
            ],
        ),
    ]
}

fn precedence() -> Vec<Case> {
    let bad_too = (RID, "a;b");
    vec![
        makes("no header", &[]),
        takes("correlation ID", C1, &[C1]),
        takes("request ID", R1, &[R1]),
        takes("traceparent", T, &[TP]),
        takes("correlation ID before request ID", C1, &[R1, C1]),
        takes("correlation ID and traceparent", C1, &[TP, C1]).traced(),
        takes("request ID and traceparent", R1, &[TP, R1]).traced(),
        takes("all three", C1, &[TP, R1, C1]).traced(),
        takes("first invalid, second valid", R1, &[BAD, R1]),
        takes("first empty, second valid", R1, &[(CID, ""), R1]),
        takes("first valid, second invalid", C1, &[C1, (RID, "not valid")]),
        // Only a proxy removes the headers that are named there (RFC 9110, section 7.6.1).
        takes(
            "named in Connection",
            C1,
            &[("Connection", "X-Correlation-ID"), C1],
        ),
        takes("both invalid, then traceparent", T, &[BAD, bad_too, TP]),
        makes(
            "all invalid",
            &[BAD, bad_too, ("traceparent", "00-not-a-context")],
        ),
    ]
}

fn names() -> Vec<Case> {
    let kept = [
        ("x-correlation-id", "c-1"),
        ("X-CORRELATION-ID", "c-1"),
        ("X-Correlation-Id", "c-1"),
        ("x-CoRrElAtIoN-iD", "c-1"),
        ("X-REQUEST-ID", "r-1"),
    ];
    let kept = kept.map(|line| takes(&format!("name {}", line.0), line, &[line]));
    let others = ["Correlation-ID", "X-Correlation", "X-Correlation-ID-2"];
    let others = others.map(|name| makes(&format!("another header, {name}"), &[(name, "c-1")]));
    [&kept[..], &others].concat()
}

fn duplicates() -> Vec<Case> {
    let twice = |name, first, second| makes(name, &[(CID, first), (CID, second)]);
    let joined: Line = (CID, "c-1, c-1");
    let r2 = (RID, "r-2");
    let (lower, upper) = (("x-correlation-id", "c-1"), "X-CORRELATION-ID");
    vec![
        takes("twice, identical", C1, &[C1, C1]),
        takes(
            "three times, identical, names differ in case",
            C1,
            &[lower, (upper, "c-1"), C1],
        ),
        takes("request ID twice, identical", R1, &[R1, R1]),
        twice("twice, different", "c-1", "c-2"),
        twice("twice, different in case", "c-a", "c-A"),
        twice("twice, one is a prefix", "c-1", "c-10"),
        twice("twice, the second invalid", "c-1", "not valid"),
        twice("twice, the first invalid", "not valid", "c-1"),
        twice("twice, the second empty", "c-1", ""),
        makes("twice in three lines", &[C1, C1, C2]),
        makes("twice, names differ in case", &[lower, (upper, "c-2")]),
        makes("twice, the second not UTF-8", &[C1])
            .with(CID, b"c-\xff")
            .unless_kept(|gaps| gaps.drops_non_utf8_headers, "c-1"),
        makes("joined by a proxy", &[(CID, "c-1, c-2")]),
        takes("joined by a proxy, identical", C1, &[joined]),
        takes(
            "joined by a proxy, identical, no blanks",
            C1,
            &[(CID, "c-1,c-1,c-1")],
        ),
        takes("joined by a proxy, request ID", R1, &[(RID, "r-1, r-1")]),
        takes("joined and apart, identical", C1, &[joined, C1]),
        takes("apart and joined, identical", C1, &[C1, joined]),
        Case::kept("joined, each as long as an ID may be", "x".repeat(128))
            .with(CID, [&"x".repeat(128)[..]; 2].join(", ")),
        makes("joined and apart, different", &[joined, C2]),
        makes("joined, one is empty", &[(CID, "c-1, ")]),
        makes("joined, one is a placeholder", &[(CID, "null, c-1")]),
        makes("joined, identical and not valid", &[(CID, "c 1, c 1")]),
        makes("traceparent joined by a proxy, identical", &[])
            .with("traceparent", [TP.1; 2].join(", ")),
        takes("twice, different, then request ID", R1, &[C1, C2, R1]),
        takes(
            "both twice, different, then traceparent",
            T,
            &[C1, C2, R1, r2, TP],
        ),
    ]
}
