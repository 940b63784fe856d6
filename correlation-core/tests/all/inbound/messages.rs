//! The same rules for what is asked by key.

use correlation_core::{Context, Origin, Policy, Source, extract_with};

use crate::{CID, RID, TRACE, brought, logged, sent, values};

#[test]
fn a_message_is_never_rejected() {
    let policy = Policy::new().reject_invalid(true).reject_missing(true);
    let (context, log) = logged(|| policy.extract_with(|_| None::<&str>));
    assert_eq!((context.origin(), log.as_str()), (Origin::Generated, ""));
    // An invalid ID does not hide a valid one.
    let (context, log) = logged(|| {
        policy.extract_with(|key| match key {
            CID => Some("not valid"),
            RID => Some("r-1"),
            _ => None,
        })
    });
    assert_eq!(context.id(), &"r-1");
    assert!(!log.contains("rejected"), "{log}");
}

#[test]
fn placeholders_and_joined_values_are_read_as_in_headers() {
    let by = |value| brought(&extract_with(|key| (key == CID).then_some(value)));
    assert_eq!(by("undefined"), None);
    assert_eq!(by("00000000-0000-0000-0000-000000000000"), None);
    assert_eq!(by("a, a").unwrap(), "a");
    assert_eq!(by("a, b"), None);
    // The next spelling has its turn.
    let context = extract_with(|key| match key {
        CID => Some("null"),
        "correlation_id" => Some("c-1"),
        _ => None,
    });
    assert_eq!(context.id(), &"c-1");
}

#[test]
fn a_message_can_have_every_format() {
    let policy = Policy::new()
        .sources([
            Source::header(CID),
            Source::parsed("sentry-trace", |value| value.split('-').next()),
        ])
        .validator(|id| {
            assert!(!id.contains('-'), "only what may be the ID is asked about");
            true
        });
    let context = policy.extract_with(|key| (key == "sentry-trace").then_some("771a-9e2d-1"));
    assert_eq!(context.id(), &"771a");
}

/// A message with these values for each of these keys, by a policy with one plain header.
fn message(values: &[(&'static str, &[&'static str])]) -> (Context, String) {
    let sources = [
        Source::header("x-own"),
        Source::AMZN_TRACE_ID,
        Source::TRACEPARENT,
    ];
    let policy = Policy::new().sources(sources);
    let get = |key: &str| {
        let found = values.iter().find(|(known, _)| *known == key);
        found.map_or(&[][..], |(_, values)| values).iter()
    };
    logged(|| policy.extract_with(get))
}

#[test]
fn a_spelling_without_a_valid_value_hides_no_other() {
    let own = |values| brought(&message(values).0);
    assert_eq!(own(&[("x-own", &["a b"]), ("X-Own", &["c"])]).unwrap(), "c");
    assert_eq!(
        own(&[("x-own", &["a", "b"]), ("X-Own", &["c"])]).unwrap(),
        "c"
    );
    assert_eq!(
        own(&[("x-own", &["a", "a"]), ("X-Own", &["c"])]).unwrap(),
        "a"
    );

    let trace = |values| message(values).0.trace_id();
    assert!(trace(&[("traceparent", &["a b"]), ("Traceparent", &[TRACE])]).is_some());
    assert!(trace(&[("traceparent", &[TRACE, TRACE]), ("Traceparent", &[TRACE])]).is_some());
    assert!(trace(&[("traceparent", &[TRACE, TRACE])]).is_none());
}

#[test]
fn other_formats_and_vendors_are_read_where_they_come_first() {
    let parts = "Root=1-67891233-abcdef012345678912345678;Sampled=1";
    let amzn = [
        ("x-amzn-trace-id", &[parts][..]),
        ("X-Amzn-Trace-Id", &["plain"]),
    ];
    assert_eq!(
        brought(&message(&amzn).0).unwrap(),
        "1-67891233-abcdef012345678912345678"
    );

    let (context, _) = message(&[
        ("traceparent", &[TRACE]),
        ("tracestate", &["a=1", "b=2"]),
        ("Tracestate", &["c=3"]),
    ]);
    assert_eq!(values(&sent(&context), "tracestate"), ["a=1,b=2"]);
}

#[test]
fn what_is_not_valid_in_any_spelling_is_told_once() {
    let told = |length: usize| format!("ignored header x-own of {length} bytes: byte not allowed");
    let (_, log) = message(&[("x-own", &["a b"]), ("X-Own", &["c d e"])]);
    assert!(log.contains(&told(3)), "{log}");
    assert_eq!(log.lines().count(), 1, "{log}");
    let (_, log) = message(&[("X-Own", &["c d e"])]);
    assert!(log.contains(&told(5)), "{log}");
}
