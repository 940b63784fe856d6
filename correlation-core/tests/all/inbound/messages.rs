//! The same rules for what is asked by key.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use correlation_core::adapter::for_message;
use correlation_core::{Context, Origin, Policy, Source, extract_with};

use crate::{CID, RID, TRACE, TRACE_ID, brought, logged, sent, values};

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

/// The policy's key in the spelling of another program, beside one that holds something else.
#[test]
fn a_trace_of_a_vendor_hides_none_that_is_valid() {
    let policy = Policy::new().sources([
        Source::B3,
        Source::AMZN_TRACE_ID,
        Source::CLOUD_TRACE_CONTEXT,
    ]);
    let root = "1-67891233-abcdef012345678912345678";
    for (message, id) in [
        (
            [("x-b3-traceid", "bad"), ("X-B3-TraceId", TRACE_ID)],
            TRACE_ID,
        ),
        ([("b3", "0"), ("B3", TRACE_ID)], TRACE_ID),
        ([("b3", TRACE_ID), ("B3", "0")], TRACE_ID),
        (
            [
                ("x-amzn-trace-id", "Self=1"),
                ("X-Amzn-Trace-Id", &format!("Root={root}")),
            ],
            root,
        ),
        (
            [
                ("x-cloud-trace-context", "105445aa7843bc8bf206b120001000/0"),
                ("X-Cloud-Trace-Context", &format!("{TRACE_ID}/1;o=1")),
            ],
            TRACE_ID,
        ),
    ] {
        let context = policy.extract_with(|key| {
            let found = message.iter().find(|(known, _)| *known == key);
            found.map(|(_, value)| value)
        });
        assert_eq!(brought(&context).as_deref(), Some(id), "{message:?}");
    }
}

/// Its members would be too many if they came twice.
#[test]
fn a_tracestate_that_is_a_source_as_well_is_asked_for_once() {
    let members: Vec<_> = (0..20).map(|n| format!("k{n}=1")).collect();
    let state = members.join(",");
    let policy = Policy::new().sources([
        Source::parsed("tracestate", |value| value.split('=').next()),
        Source::TRACEPARENT,
    ]);
    let context = policy.extract_with(|key| match key {
        "traceparent" => Some(TRACE),
        "tracestate" => Some(state.as_str()),
        _ => None,
    });
    assert_eq!(context.id(), &"k0");
    assert_eq!(values(&sent(&context), "tracestate"), [&state]);
}

/// Such as a validator that knows which IDs it has had.
#[test]
fn the_validator_is_asked_once_for_each_value() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let counted = Arc::clone(&asked);
    let had = Mutex::new(HashSet::new());
    let policy = Policy::new()
        .sources([Source::header(CID), Source::header(RID), Source::B3])
        .validator(move |id| {
            counted.lock().unwrap().push(id.to_owned());
            had.lock().unwrap().insert(id.to_owned())
        });
    let read = |message: &[(&str, &str)]| {
        let get = |key: &str| {
            let found = message.iter().find(|(known, _)| *known == key);
            found.map(|(_, value)| (*value).to_owned())
        };
        let id = brought(&policy.extract_with(get));
        (id, asked.lock().unwrap().split_off(0))
    };
    let first = read(&[(CID, "a")]);
    assert_eq!(first, (Some("a".to_owned()), vec!["a".to_owned()]));
    // Of the second delivery each spelling is asked about, and each value once.
    let message = [
        (CID, "a"),
        ("X-Correlation-ID", "a"),
        (RID, "a"),
        ("X-Request-ID", "b"),
    ];
    assert_eq!(
        read(&message),
        (Some("b".to_owned()), vec!["a".to_owned(), "b".to_owned()])
    );
    let (id, asked_for) = read(&[("b3", TRACE_ID), (CID, "b")]);
    assert_eq!(
        (id.as_deref(), &*asked_for),
        (Some(TRACE_ID), &["b".to_owned(), TRACE_ID.to_owned()][..])
    );

    // So is who asks about a value before the message is read.
    let message = for_message(&policy);
    assert!(message.accepts(b"c") && message.accepts(b" c"));
    let context = message.extract_with(|key| (key == CID).then_some("c"));
    assert_eq!(brought(&context).as_deref(), Some("c"));
    assert_eq!(*asked.lock().unwrap(), ["c"]);
    assert!(!for_message(&policy).accepts(b"c"), "it is another message");
    assert!(matches!(for_message(&Policy::new()), Cow::Borrowed(_)));
}

#[test]
fn a_validator_that_panics_is_asked_once_as_well() {
    let asked = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&asked);
    let policy = Policy::new().validator(move |_| {
        *counted.lock().unwrap() += 1;
        panic!("the validator")
    });
    let context = policy.extract_with(|key| (key == CID).then_some("a"));
    assert_eq!(brought(&context), None);
    assert_eq!(*asked.lock().unwrap(), 1);
}
