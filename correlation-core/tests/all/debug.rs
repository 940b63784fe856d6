//! What `{:?}` shows: the settings and the ID, as in an assertion that failed. Nothing that is private.

use std::convert::identity;

use correlation_core::{
    Carried, Context, CorrelationId, Generator, InCurrent as _, Policy, Source, Trust, snapshot,
    sync_scope,
};
use correlation_testkit::{TRACE, TRACE_ID, id};

use crate::{CID, accepted};

#[test]
fn an_id_and_its_context() {
    assert_eq!(format!("{:?}", id("a")), r#"CorrelationId("a")"#);
    assert_eq!(
        format!("{:>3}|{:<3}|{:.1}", id("a"), id("b"), id("cd")),
        "  a|b  |c"
    );

    let context = accepted(&Policy::new(), &[(CID, "a"), ("traceparent", TRACE)]);
    let shown = format!(
        r#"Context {{ id: CorrelationId("a"), origin: Header("x-correlation-id"), untrusted_id: None, trace_id: Some(TraceId("{TRACE_ID}")) }}"#
    );
    assert_eq!(format!("{context:?}"), shown);
    assert_eq!(format!("{:.4}", context.trace_id().unwrap()), TRACE_ID[..4]);
}

#[test]
fn what_runs_in_a_context() {
    let held = format!("{:?}", Context::from(id("a")));
    sync_scope(id("a"), || {
        assert_eq!(
            format!("{:?}", snapshot()),
            format!("Snapshot(Some({held}))")
        );
        assert_eq!(
            format!("{:?}", Carried::new(1)),
            format!("Carried {{ context: {held}, body: 1 }}")
        );
        let ready = std::future::ready(1).in_current();
        assert_eq!(format!("{ready:?}"), "Scoped(Some(Ready(Some(1))))");
    });
    assert_eq!(format!("{:?}", snapshot()), "Snapshot(None)");
}

#[test]
fn settings() {
    let generators = [
        (Generator::default(), "Generator::uuid_v4"),
        (Generator::uuid_v7(), "Generator::uuid_v7"),
        (Generator::hex(), "Generator::hex"),
        (Generator::custom(|| "a"), "Generator::custom"),
    ];
    for (generator, shown) in generators {
        assert_eq!(format!("{generator:?}"), shown);
    }
    let trusts = [
        (Trust::default(), "Trust::always()"),
        (Trust::never(), "Trust::never()"),
        (Trust::when(|_| true), "Trust::when(..)"),
    ];
    for (trust, shown) in trusts {
        assert_eq!(format!("{trust:?}"), shown);
    }
    let sources = [
        (Source::header("X-ID"), r#"Header("x-id")"#),
        (Source::TRACEPARENT, r#"Traceparent("traceparent")"#),
        (Source::AMZN_TRACE_ID, r#"Parsed("x-amzn-trace-id")"#),
        (
            Source::parsed("X-Own", |value| identity(Some(value))),
            r#"Parsed("x-own")"#,
        ),
    ];
    for (source, shown) in sources {
        assert_eq!(format!("{source:?}"), shown);
    }
    let policy = Policy::new()
        .max_len(36)
        .validator(|_| true)
        .trust(Trust::never());
    let shown = format!("{policy:?}");
    for setting in [
        "max_len: 36",
        "validator: true",
        "trust: Trust::never()",
        "access_record: false",
    ] {
        assert!(
            shown.starts_with("Policy { ") && shown.contains(setting),
            "{shown}"
        );
    }
}

#[test]
fn what_a_trust_closure_sees_of_the_caller() {
    let shown = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let seen = shown.clone();
    let trust = Trust::when(move |caller| {
        *seen.lock().unwrap() = format!("{caller:?}");
        true
    });
    let peer = std::net::IpAddr::from([10, 0, 0, 1]);
    let headers = [(CID, CorrelationId::new().to_string())];
    let policy = Policy::new().trust(trust);
    let decision = policy.receive(|| headers.iter().map(|(name, value)| (name, value)), peer);
    assert!(decision.rejected().is_none());
    assert_eq!(*shown.lock().unwrap(), "Caller { peer: Ip(10.0.0.1), .. }");
}
