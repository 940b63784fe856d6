//! An ID that is not trusted is told once, and never so that a search for another finds it.

use correlation_core::{Policy, Source, Trust, sync_scope};

use crate::{CID, TRACE, accepted, logged, sent};

fn never() -> Policy {
    Policy::new().trust(Trust::never())
}

#[test]
fn one_event_tells_it_when_the_request_begins() {
    let (context, log) = logged(|| {
        let context = accepted(&never(), &[(CID, "theirs")]);
        assert!(sent(&context).iter().all(|(_, value)| value != "theirs"));
        // Reading it changes nothing.
        for _ in 0..2 {
            assert_eq!(context.untrusted_id().unwrap(), "theirs");
        }
        context
    });
    let id = context.id();
    assert_eq!(
        log,
        format!(
            " INFO correlation: caller's ID is not trusted untrusted_id=\"theirs\" \
             correlation_id={id}\n"
        )
    );
}

#[test]
fn what_could_be_a_field_is_told_by_its_length() {
    for (id, told) in [
        ("|correlation_id=victim", "untrusted_len=22"),
        ("a=b==", "untrusted_len=5"),
        ("=a", "untrusted_len=2"),
        ("YWJj+/==", "untrusted_id=\"YWJj+/==\""),
        ("correlation_id=", "untrusted_id=\"correlation_id=\""),
        ("a|b", "untrusted_id=\"a|b\""),
    ] {
        let (context, log) = logged(|| accepted(&never(), &[(CID, id)]));
        assert_eq!(context.untrusted_id().unwrap(), id);
        assert!(log.contains(&format!(" {told} correlation_id=")), "{log}");
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(!log.contains("correlation_id=victim"), "{log}");
    }
}

#[test]
fn a_policy_with_an_access_record_leaves_it_to_that() {
    let policy = never().access_record(true);
    let (context, log) = logged(|| accepted(&policy, &[(CID, "theirs")]));
    assert_eq!(log, "");
    assert_eq!(context.untrusted_id().unwrap(), "theirs");
    // A message has no such record.
    let (_, log) = logged(|| policy.extract_with(|key| (key == CID).then_some("theirs")));
    assert!(log.contains("untrusted_id=\"theirs\""), "{log}");
}

#[test]
fn a_scope_that_goes_on_tells_nothing_again() {
    let headers = [(CID, "theirs")];
    let (_, log) = logged(|| {
        let context = accepted(&never(), &headers);
        sync_scope(context, || accepted(&never(), &headers));
    });
    assert_eq!(log.matches("untrusted_id").count(), 1, "{log}");
}

#[test]
fn a_strangers_trace_does_not_go_on() {
    let policies = [
        never(),
        // Not even where it is no source of IDs.
        never().sources([Source::header(CID)]),
        Policy::new().trust(Trust::networks(["10.0.0.0/8"])),
        Policy::new().trust(Trust::when(|_| false)),
    ];
    for policy in policies {
        for headers in [
            &[("traceparent", TRACE)][..],
            &[("traceparent", TRACE), (CID, "c")],
        ] {
            let context = accepted(&policy, headers);
            assert_eq!(context.trace_id(), None, "{policy:?}");
            let sent = sent(&context);
            let is_theirs = |(_, value): &(_, String)| value.contains(&TRACE[3..35]);
            assert!(!sent.iter().any(is_theirs), "{sent:?}");
        }
    }
    let context = accepted(&Policy::new(), &[("traceparent", TRACE)]);
    assert_eq!(context.trace_id().unwrap().as_str(), &TRACE[3..35]);
}
