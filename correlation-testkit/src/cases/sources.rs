//! Which header the ID is taken from.

use correlation_core::Policy;

use super::trace::{TRACE_ID, TRACEPARENT};
use super::{Case, Rule};

pub(super) fn default_order() -> Vec<Case> {
    let mut cases = precedence();
    cases.extend(names());
    cases.extend(duplicates());
    cases
}

pub(super) fn rules() -> Vec<Rule> {
    let swapped = Policy::new().headers(["x-request-id", "x-correlation-id"]);
    let own = Policy::new().headers(["X-Transaction-ID"]);
    let trace_first = Policy::new().headers(["traceparent", "x-correlation-id"]);
    let trace_never = Policy::new().trace_id_as_id(false);
    vec![
        Rule::new(
            "headers in another order",
            swapped,
            [
                Case::kept("both", "r-1")
                    .from("x-request-id")
                    .with(CID, "c-1")
                    .with(RID, "r-1"),
                Case::kept("second only", "c-1").with(CID, "c-1"),
                Case::kept("first invalid", "c-1")
                    .with(RID, "not valid")
                    .with(CID, "c-1"),
            ],
        ),
        Rule::new(
            "a header of one's own",
            own,
            [
                Case::kept("it is taken", "t-1")
                    .from("x-transaction-id")
                    .with("x-transaction-id", "t-1")
                    .with(CID, "c-1"),
                Case::fresh("others are not")
                    .with(CID, "c-1")
                    .with(RID, "r-1"),
                Case::kept("traceparent still is", TRACE_ID)
                    .from("traceparent")
                    .trace(TRACE_ID)
                    .with(CID, "c-1")
                    .with("traceparent", TRACEPARENT),
            ],
        ),
        Rule::new(
            "traceparent first",
            trace_first,
            [
                Case::kept("both", TRACE_ID)
                    .from("traceparent")
                    .trace(TRACE_ID)
                    .with(CID, "c-1")
                    .with("traceparent", TRACEPARENT),
                Case::kept("traceparent invalid", "c-1")
                    .with(CID, "c-1")
                    .with("traceparent", "invalid"),
            ],
        ),
        Rule::new(
            "traceparent is no source",
            trace_never,
            [
                Case::fresh("traceparent")
                    .trace(TRACE_ID)
                    .with("traceparent", TRACEPARENT),
                Case::kept("both", "c-1")
                    .trace(TRACE_ID)
                    .with(CID, "c-1")
                    .with("traceparent", TRACEPARENT),
            ],
        ),
    ]
}

fn precedence() -> Vec<Case> {
    vec![
        Case::fresh("no header"),
        Case::kept("correlation ID", "c-1").with(CID, "c-1"),
        Case::kept("request ID", "r-1")
            .from("x-request-id")
            .with(RID, "r-1"),
        Case::kept("traceparent", TRACE_ID)
            .from("traceparent")
            .trace(TRACE_ID)
            .with("traceparent", TRACEPARENT),
        Case::kept("correlation ID before request ID", "c-1")
            .with(RID, "r-1")
            .with(CID, "c-1"),
        Case::kept("correlation ID and traceparent", "c-1")
            .trace(TRACE_ID)
            .with("traceparent", TRACEPARENT)
            .with(CID, "c-1"),
        Case::kept("request ID and traceparent", "r-1")
            .from("x-request-id")
            .trace(TRACE_ID)
            .with("traceparent", TRACEPARENT)
            .with(RID, "r-1"),
        Case::kept("all three", "c-1")
            .trace(TRACE_ID)
            .with("traceparent", TRACEPARENT)
            .with(RID, "r-1")
            .with(CID, "c-1"),
        Case::kept("first invalid, second valid", "r-1")
            .from("x-request-id")
            .with(CID, "not valid")
            .with(RID, "r-1"),
        Case::kept("first empty, second valid", "r-1")
            .from("x-request-id")
            .with(CID, "")
            .with(RID, "r-1"),
        Case::kept("first valid, second invalid", "c-1")
            .with(CID, "c-1")
            .with(RID, "not valid"),
        Case::kept("both invalid, then traceparent", TRACE_ID)
            .from("traceparent")
            .trace(TRACE_ID)
            .with(CID, "not valid")
            .with(RID, "a;b")
            .with("traceparent", TRACEPARENT),
        Case::fresh("all invalid")
            .with(CID, "not valid")
            .with(RID, "a;b")
            .with("traceparent", "00-not-a-context"),
    ]
}

fn names() -> Vec<Case> {
    let mut cases: Vec<_> = [
        "x-correlation-id",
        "X-CORRELATION-ID",
        "X-Correlation-Id",
        "x-CoRrElAtIoN-iD",
    ]
    .into_iter()
    .map(|name| Case::kept(format!("name {name}"), "c-1").with(name, "c-1"))
    .collect();
    cases.push(
        Case::kept("name X-REQUEST-ID", "r-1")
            .from("x-request-id")
            .with("X-REQUEST-ID", "r-1"),
    );
    for name in ["Correlation-ID", "X-Correlation", "X-Correlation-ID-2"] {
        cases.push(Case::fresh(format!("another header, {name}")).with(name, "c-1"));
    }
    cases
}

fn duplicates() -> Vec<Case> {
    let twice = |name: &str, first: &str, second: &str| {
        Case::fresh(name).with(CID, first).with(CID, second)
    };
    vec![
        Case::kept("twice, identical", "c-1")
            .with(CID, "c-1")
            .with(CID, "c-1"),
        Case::kept("three times, identical, names differ in case", "c-1")
            .with("x-correlation-id", "c-1")
            .with("X-CORRELATION-ID", "c-1")
            .with(CID, "c-1"),
        Case::kept("request ID twice, identical", "r-1")
            .from("x-request-id")
            .with(RID, "r-1")
            .with(RID, "r-1"),
        twice("twice, different", "c-1", "c-2"),
        twice("twice, different in case", "c-a", "c-A"),
        twice("twice, one is a prefix", "c-1", "c-10"),
        twice("twice, the second invalid", "c-1", "not valid"),
        twice("twice, the first invalid", "not valid", "c-1"),
        twice("twice, the second empty", "c-1", ""),
        twice("twice in three lines", "c-1", "c-1").with(CID, "c-2"),
        Case::fresh("twice, names differ in case")
            .with("x-correlation-id", "c-1")
            .with("X-CORRELATION-ID", "c-2"),
        Case::fresh("twice, the second not UTF-8")
            .with(CID, "c-1")
            .with(CID, b"c-\xff")
            .unless_kept(|gaps| gaps.drops_non_utf8_headers, "c-1"),
        Case::fresh("joined by a proxy").with(CID, "c-1, c-2"),
        Case::fresh("joined by a proxy, identical").with(CID, "c-1, c-1"),
        Case::kept("twice, different, then request ID", "r-1")
            .from("x-request-id")
            .with(CID, "c-1")
            .with(CID, "c-2")
            .with(RID, "r-1"),
        Case::kept("both twice, different, then traceparent", TRACE_ID)
            .from("traceparent")
            .trace(TRACE_ID)
            .with(CID, "c-1")
            .with(CID, "c-2")
            .with(RID, "r-1")
            .with(RID, "r-2")
            .with("traceparent", TRACEPARENT),
    ]
}

const CID: &str = "X-Correlation-ID";
const RID: &str = "X-Request-ID";
