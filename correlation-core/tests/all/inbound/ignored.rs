//! What is ignored is told: the header, its length and the reason, never what was in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use correlation_core::{Policy, Source};

use crate::{CID, RID, TRACE, TRACE_ID, accepted, kept, logged, receive};

#[test]
fn each_has_its_reason_once() {
    let policy = Policy::new()
        .sources([
            Source::header(CID),
            Source::header(RID),
            Source::header("X-Third"),
            Source::header("X-Fourth"),
            Source::header("X-Fifth"),
            Source::TRACEPARENT,
            Source::B3,
            Source::header("X-Last"),
            Source::header("X-Not-Looked-At"),
        ])
        .validator(|id| id != "refused");
    let long = "x".repeat(129);
    let (id, log) = logged(|| {
        let headers = [
            (CID, "secret text"),
            (RID, &long),
            ("x-third", ""),
            ("x-fourth", "refused"),
            ("x-fifth", "null"),
            ("x-fifth", "null"),
            ("traceparent", "secret"),
            ("b3", "secret"),
            ("x-last", "l-1"),
            ("x-not-looked-at", "secret text"),
        ];
        kept(&policy, &headers)
    });
    assert_eq!(id.unwrap(), "l-1");
    let told = [
        "traceparent of 6 bytes: not a valid traceparent",
        "x-correlation-id of 11 bytes: byte not allowed",
        "x-request-id of 129 bytes: too long",
        "x-third of 0 bytes: empty",
        "x-fourth of 7 bytes: refused by the validator",
        "x-fifth of 4 bytes: a placeholder",
        "b3 of 6 bytes: not in its format",
    ];
    let told =
        told.map(|told| format!("DEBUG correlation: ignored header {told} correlation_id=l-1\n"));
    assert_eq!(log, told.concat());
}

/// Such as a header whose format changes while clients are updated.
#[test]
fn a_header_that_two_sources_read_is_told_once_and_only_without_an_id() {
    let policy = Policy::new().sources([
        Source::header("X-Old"),
        Source::parsed("X-Old", |value| value.strip_prefix("v1:")),
        Source::parsed("X-Old", |value| value.split('/').next()),
    ]);
    let (id, log) = logged(|| kept(&policy, &[("x-old", "ab/c d")]));
    assert_eq!((id.as_deref(), &*log), (Some("ab"), ""));
    let strict = policy.clone().reject_invalid(true);
    assert_eq!(
        receive(&strict, &[("x-old", "ab/c d")], None).rejected(),
        None
    );

    let (id, log) = logged(|| kept(&policy, &[("x-old", "a b")]));
    assert_eq!((id, log.lines().count()), (None, 1), "{log}");
    let told = "ignored header x-old of 3 bytes: byte not allowed";
    assert!(log.contains(told), "{log}");
    assert!(
        receive(&strict, &[("x-old", "a b")], None)
            .rejected()
            .is_some()
    );
}

#[test]
fn each_of_the_longest_list_is_read_and_told() {
    let names: Vec<_> = (0..14).map(|n| format!("x-{n}")).collect();
    let policy = Policy::new().sources(names.iter().map(Source::header));
    let read = |traceparent| {
        let mut headers: Vec<_> = names.iter().map(|name| (name.as_str(), "a b")).collect();
        headers.push(("traceparent", traceparent));
        logged(|| accepted(&policy, &headers))
    };
    let (context, log) = read("secret");
    assert_eq!(
        (log.lines().count(), context.trace_id()),
        (15, None),
        "{log}"
    );
    let (context, log) = read(TRACE);
    assert_eq!(log.lines().count(), 14, "{log}");
    assert_eq!(context.trace_id().unwrap().as_str(), TRACE_ID);
}

#[test]
fn what_was_sent_twice_is_told_once() {
    let (_, log) = logged(|| kept(&Policy::new(), &[(CID, "a"), (CID, "b"), (CID, "c")]));
    assert_eq!(
        log.matches("ignored header x-correlation-id: sent more than once")
            .count(),
        1
    );
    assert_eq!(log.lines().count(), 1, "{log}");
    let twice = [("traceparent", TRACE), ("traceparent", TRACE)];
    let (_, log) = logged(|| kept(&Policy::new(), &twice));
    assert_eq!(
        log.matches("ignored header traceparent: sent more than once")
            .count(),
        1
    );
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn the_validator_is_asked_once_for_each_value() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let policy = Policy::new().validator(move |id| {
        counted.fetch_add(1, Ordering::Relaxed);
        id == "good"
    });
    let count = |headers: &[(&str, &str)]| {
        logged(|| kept(&policy, headers));
        asked.swap(0, Ordering::Relaxed)
    };
    assert_eq!(count(&[(CID, "bad")]), 1);
    assert_eq!(
        count(&[(CID, "bad"), (RID, "worse"), ("traceparent", TRACE)]),
        3
    );
    assert_eq!(count(&[(CID, "good"), (RID, "worse")]), 1);
    assert_eq!(count(&[(CID, "bad, bad")]), 1);
    assert_eq!(
        count(&[(CID, "not valid"), (CID, "null"), (RID, "null")]),
        0
    );
}

#[test]
fn a_rejection_is_told_in_its_request() {
    let policy = Policy::new().reject_invalid(true).reject_missing(true);
    for (headers, lines) in [
        (
            &[(CID, "secret text")][..],
            &[
                "ignored header x-correlation-id of 11 bytes: byte not allowed",
                "rejected the request: the correlation ID of the request is not valid",
            ][..],
        ),
        (
            &[],
            &["rejected the request: the request has no correlation ID"],
        ),
    ] {
        let (decision, log) = logged(|| receive(&policy, headers, None));
        assert!(decision.rejected().is_some());
        let id = decision.context().id();
        let lines = lines
            .iter()
            .map(|line| format!("DEBUG correlation: {line} correlation_id={id}\n"));
        assert_eq!(log, lines.collect::<String>());
    }
}
