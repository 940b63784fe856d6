//! Where an ID is taken from: lists, formats, repeated and joined headers, placeholders.

use correlation_core::adapter::Rejected;

use correlation_core::{CorrelationId, Origin, Policy, Source};
use proptest::prelude::*;

use crate::{CID, RID, TRACE, accepted, kept, receive};

fn rejected(policy: &Policy, headers: &[(&str, &str)]) -> Option<Rejected> {
    receive(policy, headers, None).rejected()
}

#[test]
fn one_list_says_the_order_of_all_formats() {
    let policy = Policy::new().sources([
        Source::B3,
        Source::parsed("Sentry-Trace", |value| value.split('-').next()),
        Source::TRACEPARENT,
        Source::header("X-Own"),
    ]);
    let b3 = ("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1");
    let many = ("x-b3-traceid", "64fe8b2a57d3eff7");
    let sentry = (
        "sentry-trace",
        "771a43a4192642f0b136d5159a501700-9e2d0d9ff4fbf34f-1",
    );
    let (trace, own) = (("traceparent", TRACE), ("x-own", "o-1"));
    let all = [own, trace, sentry, many, b3];
    for (number, id, origin) in [
        (5, &b3.1[..32], "b3"),
        (4, many.1, "x-b3-traceid"),
        (3, &sentry.1[..32], "sentry-trace"),
        (2, &TRACE[3..35], "traceparent"),
        (1, own.1, "x-own"),
    ] {
        let context = accepted(&policy, &all[..number]);
        assert_eq!(
            (context.id(), context.origin()),
            (&id.parse().unwrap(), Origin::Header(origin))
        );
        assert_eq!(context.origin().to_string(), origin);
    }
    assert_eq!(kept(&policy, &[(CID, "c"), (RID, "r")]), None);
    // A decision of `b3` that has no ID does not hide the other form.
    assert_eq!(kept(&policy, &[("b3", "0"), many]).as_deref(), Some(many.1));
    assert_eq!(kept(&Policy::new().sources([]), &all), None);
}

#[test]
fn headers_change_the_headers_and_nothing_else() {
    let google = (
        "x-cloud-trace-context",
        "105445aa7843bc8bf206b12000100000/1",
    );
    let (own, trace) = (("x-own", "o"), ("traceparent", TRACE));
    let with_trace = Policy::new()
        .sources([
            Source::header(CID),
            Source::TRACEPARENT,
            Source::CLOUD_TRACE_CONTEXT,
        ])
        .headers(["X-Own"]);
    assert_eq!(
        kept(&with_trace, &[google, trace, own]).as_deref(),
        Some("o")
    );
    assert_eq!(
        kept(&with_trace, &[google, trace]).as_deref(),
        Some(&TRACE[3..35])
    );
    assert_eq!(
        kept(&with_trace, &[google]).as_deref(),
        Some(&google.1[..32])
    );
    assert_eq!(kept(&with_trace, &[(CID, "c")]), None);
    let without = Policy::new()
        .sources([Source::header(CID)])
        .headers(["X-Own"]);
    assert_eq!(kept(&without, &[trace]), None);
    let named = without.headers(["X-Own", "Traceparent"]);
    assert_eq!(kept(&named, &[trace]).as_deref(), Some(&TRACE[3..35]));
}

#[test]
fn formats_of_ones_own() {
    let policy = Policy::new().sources([
        Source::parsed("sentry-trace", |value| value.split('-').next()),
        Source::parsed("uber-trace-id", |value| value.split(':').next()),
        Source::parsed("x-house", |value| {
            value.strip_prefix("v1;")?.split(',').next_back()
        }),
        Source::parsed("x-fixed", |_| Some("fixed")),
    ]);
    for (name, value, id) in [
        // <https://develop.sentry.dev/sdk/telemetry/traces/>: the decision may be missing.
        (
            "sentry-trace",
            "771a43a4192642f0b136d5159a501700-9e2d0d9ff4fbf34f",
            Some("771a43a4192642f0b136d5159a501700"),
        ),
        // <https://www.jaegertracing.io/docs/1.76/client-libraries/#propagation-format>
        (
            "uber-trace-id",
            "80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:0:1",
            Some("80f198ee56343ba864fe8b2a57d3eff7"),
        ),
        ("x-house", "  v1;a, b,c-1  ", Some("c-1")),
        ("x-house", "v2;c-1", None),
        ("x-house", "v1;", None),
        ("x-house", "v1;not valid", None),
        ("x-house", "v1;null", None),
        ("x-house", "v1;\u{e9}", None),
        ("x-fixed", "any05", Some("fixed")),
    ] {
        assert_eq!(
            kept(&policy, &[(name, value)]).as_deref(),
            id,
            "{name}: {value}"
        );
    }
    let not_utf8 = || [("x-fixed", &b"\xff"[..])];
    let decision = policy.receive(not_utf8, None);
    assert_eq!(decision.context().origin(), Origin::Generated);
    let strict = policy.reject_invalid(true);
    assert_eq!(rejected(&strict, &[("x-house", "v2;c-1")]), None);
}

#[test]
fn joined_lines_are_lines() {
    let policy = Policy::new();
    let long = "x".repeat(128);
    let twice = format!("{long}, {long}");
    for (lines, id) in [
        (&["a, a"][..], Some("a")),
        (&["a,a", "a"], Some("a")),
        (&["a", "a ,\ta"], Some("a")),
        (&["a, a", "a, a"], Some("a")),
        (&["a, a, a", "a, a"], Some("a")),
        (&[&twice], Some(&long)),
        (&["a, b"], None),
        (&["a", "a, b"], None),
        (&["a, b", "a"], None),
        (&["a, b", "a, b"], None),
        (&["a, A"], None),
        (&["a,"], None),
        (&[",a"], None),
        (&["a,,a"], None),
        (&[","], None),
        (&["a a, a a"], None),
        (&["a", "a, a", "b"], None),
        (&["b", "a", "a"], None),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| (CID, *line)).collect();
        assert_eq!(kept(&policy, &headers).as_deref(), id, "{lines:?}");
        let traced: Vec<_> = headers
            .iter()
            .copied()
            .chain([("traceparent", TRACE)])
            .collect();
        let id = id.unwrap_or(&TRACE[3..35]);
        assert_eq!(kept(&policy, &traced).as_deref(), Some(id), "{lines:?}");
    }
    // The other formats do not say who joined the lines either.
    let [a, b] = ["1", "2"].map(|digit| digit.repeat(32));
    for (source, name, [first, second], id) in [
        (
            Source::B3,
            "b3",
            [&a, &b].map(|id| format!("{id}-e457b5a2e4d86bd1-1")),
            &*a,
        ),
        (Source::B3, "x-b3-traceid", [a.clone(), b.clone()], &a),
        (
            Source::AMZN_TRACE_ID,
            "x-amzn-trace-id",
            [&a, &b].map(|id| format!("Root=1-{}-{};Sampled=1", &id[..8], &id[..24])),
            "1-11111111-111111111111111111111111",
        ),
        (
            Source::CLOUD_TRACE_CONTEXT,
            "x-cloud-trace-context",
            [&a, &b].map(|id| format!("{id}/1;o=1")),
            &a,
        ),
        (
            Source::DOTNET_REQUEST_ID,
            "request-id",
            ["|root.1.", "|other.1."].map(str::to_owned),
            "root",
        ),
    ] {
        let policy = Policy::new().sources([source]);
        let kept = |value: &str| kept(&policy, &[(name, value)]);
        assert_eq!(kept(&first).as_deref(), Some(id), "{name}");
        assert_eq!(
            kept(&format!("{first}, {first}")).as_deref(),
            Some(id),
            "{name}"
        );
        assert_eq!(kept(&format!("{first}, {second}")), None, "{name}");
        assert_eq!(kept(&format!("{first},")), None, "{name}");
    }
    let joined = format!("{TRACE}, {TRACE}");
    for lines in [&[joined.as_str()][..], &[TRACE, TRACE], &[TRACE, &joined]] {
        let headers: Vec<_> = lines.iter().map(|line| ("traceparent", *line)).collect();
        let context = accepted(&policy, &headers);
        assert_eq!(
            (context.origin(), context.trace_id()),
            (Origin::Generated, None)
        );
    }
}

#[test]
fn placeholders_are_absent() {
    assert!("null".parse::<CorrelationId>().is_ok(), "that is lexical");
    let policy = Policy::new();
    let nil = "00000000-0000-0000-0000-000000000000";
    let placeholders = [
        "-",
        "null",
        "NULL",
        "undefined",
        "Undefined",
        "none",
        "None",
        "nil",
        "unknown",
        " null ",
        "null, null",
        nil,
        &nil.replace('-', ""),
    ];
    for placeholder in placeholders {
        let sent = [(CID, placeholder)];
        assert_eq!(kept(&policy, &sent), None, "{placeholder}");
        assert!(!policy.accepts(placeholder.as_bytes()), "{placeholder}");
        let next = [(CID, placeholder), (RID, "r-1")];
        assert_eq!(
            kept(&policy, &next).as_deref(),
            Some("r-1"),
            "{placeholder}"
        );
        // Absent, not invalid.
        let strict = Policy::new().reject_invalid(true).max_len(2);
        assert_eq!(rejected(&strict, &sent), None, "{placeholder}");
        let why = rejected(&strict.reject_missing(true), &sent).unwrap();
        let missing = "the request has no correlation ID";
        assert_eq!(why.as_str(), missing, "{placeholder}");
    }
    for id in [
        "--",
        "nul",
        "null-1",
        "0",
        "unknown.",
        "nile",
        "00000000-0000-0000-0000-000000000001",
        "0000000000000000",
        "00000000000000000000000000000001",
        "none0",
        "NaN",
    ] {
        assert_eq!(kept(&policy, &[(CID, id)]).as_deref(), Some(id));
    }
    // Lines that differ are lines that differ.
    for lines in [["null", "abc"], ["abc", "null"], ["null", "NULL"]] {
        assert_eq!(
            kept(&policy, &lines.map(|line| (CID, line))),
            None,
            "{lines:?}"
        );
    }
    assert_eq!(kept(&policy, &[(CID, "null, abc")]), None);
}

proptest! {
    /// Lines of one header mean the same, however a proxy joins them.
    #[test]
    fn a_proxy_that_joins_changes_nothing(
        values in proptest::collection::vec("(a|b|null|not valid|a, a)?", 1..5),
        cut in 0..5_usize,
    ) {
        let policy = Policy::new();
        let lines: Vec<_> = values.iter().map(|value| (CID, value.as_str())).collect();
        let (head, tail) = lines.split_at(cut.min(lines.len() - 1));
        let joined = tail.iter().map(|(_, value)| *value).collect::<Vec<_>>().join(", ");
        let some: Vec<_> = head.iter().copied().chain([(CID, joined.as_str())]).collect();
        prop_assert_eq!(kept(&policy, &lines), kept(&policy, &some));
    }
}

/// Lengths of names are compared first, and here there is only one length.
#[test]
fn a_name_may_be_as_long_as_traceparent() {
    let policy = Policy::new().sources([Source::header("X-Click-ID-")]);
    assert_eq!("x-click-id-".len(), "traceparent".len());
    assert_eq!(
        kept(&policy, &[("X-Click-ID-", "click-1")]).unwrap(),
        "click-1"
    );
}
