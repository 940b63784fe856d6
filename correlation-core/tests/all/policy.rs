//! What can go wrong in a policy itself. Its rules as a whole are the cases of
//! `correlation-testkit`, which every adapter runs.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use correlation_core::adapter::{
    Expose, ended, expose, hand_over, in_scope, inner, rejects, request_header, response_header,
    scoped, wants_peer,
};
use correlation_core::{
    Context, CorrelationId, Generator, Origin, Policy, Source, TraceContext, Trust, current,
    sync_scope,
};
use correlation_testkit::every_source;

use crate::{CID, RID, TRACE, TRACE_ID, accepted, id, kept, receive, refused, values};

fn every_format() -> Policy {
    Policy::new().sources(every_source())
}

#[test]
fn sources_have_their_turn_in_order() {
    let policy = Policy::new();
    let all = [("traceparent", TRACE), ("X-REQUEST-ID", "r"), (CID, "c")];
    assert_eq!(kept(&policy, &all).as_deref(), Some("c"));
    assert_eq!(kept(&policy, &all[..2]).as_deref(), Some("r"));
    assert_eq!(kept(&policy, &all[..1]).as_deref(), Some(TRACE_ID));
    assert_eq!(kept(&policy, &[]), None);
    let trace_first = Policy::new().headers(["Traceparent", "X-Correlation-ID"]);
    assert_eq!(kept(&trace_first, &all).as_deref(), Some(TRACE_ID));
    let no_trace = Policy::new().sources([Source::header("X-Own")]);
    assert_eq!(kept(&no_trace, &all), None);
    assert!(
        accepted(&no_trace, &all).trace_id().is_some(),
        "it is forwarded all the same"
    );
}

#[test]
fn without_an_id_nobody_asks_for_trust() {
    // Counted, since a panic of the closure would be no failure.
    let asked = Arc::new(AtomicUsize::new(0));
    let asks = Arc::clone(&asked);
    let policy = Policy::new().trust(Trust::when(move |_| {
        asks.fetch_add(1, Ordering::Relaxed);
        true
    }));
    for headers in [
        &[("accept", "*/*")][..],
        &[("accept", "*/*"), (CID, "not valid")],
        &[(CID, "null")],
        &[(CID, "a"), (CID, "b")],
    ] {
        assert_eq!(kept(&policy, headers), None);
        assert_eq!(asked.load(Ordering::Relaxed), 0, "{headers:?}");
    }
    for (count, headers) in [(1, (CID, "a")), (2, ("traceparent", TRACE))] {
        assert!(kept(&policy, &[headers]).is_some());
        assert_eq!(asked.load(Ordering::Relaxed), count, "{headers:?}");
    }
}

#[test]
fn trust_sees_the_peer_and_the_headers() {
    let policy = Policy::new().trust(Trust::when(|caller| {
        caller.addr().is_some_and(|addr| addr.is_loopback())
            && caller.header("X-Gateway") == Some("edge-1")
    }));
    let headers = [("x-gateway", "edge-1"), (CID, "c")];
    let from = |peer: [u8; 4]| receive(&policy, &headers, IpAddr::from(peer)).into_context();
    assert_eq!(from([127, 0, 0, 1]).id(), &"c");
    let stranger = from([10, 0, 0, 1]);
    assert_eq!(stranger.origin(), Origin::Generated);
    assert_eq!(stranger.untrusted_id().unwrap(), &"c");
}

#[test]
fn an_entered_scope_goes_on() {
    let policy = Policy::new().reject_missing(true);
    for headers in [&[(CID, "inner")][..], &[]] {
        let seen = sync_scope(id("outer"), || kept(&policy, headers));
        assert_eq!(seen.as_deref(), Some("outer"));
    }
}

#[test]
fn a_rejected_request_has_a_fresh_id() {
    let policy = Policy::new().reject_invalid(true).reject_missing(true);
    for (headers, reason) in [
        (&[][..], "the request has no correlation ID"),
        (
            &[(CID, "not valid")],
            "the correlation ID of the request is not valid",
        ),
        (
            &[(CID, "a"), (CID, "b"), (RID, "c")],
            "the correlation ID of the request is not valid",
        ),
    ] {
        let decision = receive(&policy, headers, None);
        assert_eq!(decision.rejected().unwrap().to_string(), reason);
        assert_eq!(decision.context().origin(), Origin::Generated);
        // The caller is trusted, and the request has no use for its ID.
        assert_eq!(decision.context().untrusted_id(), None);
    }
    let headers = [(CID, "not valid"), ("traceparent", TRACE)];
    let context = receive(&policy, &headers, None).into_context();
    assert_eq!(context.trace_id().unwrap().as_str(), TRACE_ID);
    let headers = [(CID, "a"), (RID, "not valid")];
    assert_eq!(kept(&policy, &headers).unwrap(), "a");
}

#[test]
fn bad_settings_say_what_is_allowed() {
    for bytes in [0, 256, usize::MAX] {
        assert_eq!(
            refused(|| Policy::new().max_len(bytes)),
            format!("correlation, max_len: {bytes} bytes are out of range: allowed are 1 to 255")
        );
    }
    assert!(
        refused(|| Policy::new().headers(["x", "two words"]))
            .starts_with("correlation, headers, entry 2: \"two words\" is not")
    );
    assert!(refused(|| Policy::new().headers(["a"; 9])).contains("headers: at most 8"));
    assert_eq!(refused(|| Policy::new().headers(["a"; 8])), "");
    let names: Vec<_> = (0..15).map(|n| format!("x-{n}")).collect();
    let all = || names.iter().map(Source::header);
    assert!(refused(|| Policy::new().sources(all())).contains("sources: at most 14"));
    // The same header in the same format counts once, in another format it is one more.
    let list = |last| names[..14].iter().map(Source::header).chain([last]);
    let again = list(Source::header("X-0"));
    assert_eq!(refused(|| Policy::new().sources(again)), "");
    let parsed = Source::parsed("x-0", |value| Some(value));
    assert!(refused(|| Policy::new().sources(list(parsed))).contains("at most 14"));
    assert!(refused(|| Policy::new().response_header("")).contains("response_header: a header"));
    for w3c in ["Traceparent", "tracestate"] {
        let error = refused(|| Policy::new().response_header(w3c));
        assert!(
            error.contains("response_header: ") && error.contains("W3C"),
            "{error}"
        );
    }
    assert!(refused(|| Source::header("tracestate")).contains("W3C"));
    assert!(refused(|| Source::header("")).contains("sources: a header"));
    assert!(refused(|| Source::parsed("a b", |value| Some(value))).contains("sources: \"a b\""));
}

#[test]
fn the_longest_allowed_name_lists_are_watched_to_the_end() {
    let names: Vec<_> = (1..=8)
        .map(|n| format!("x-{}", "n".repeat(n * 9)))
        .collect();
    let policy = every_format().headers(&names);
    assert_eq!(
        kept(&policy, &[(&names[7], "last")]).as_deref(),
        Some("last")
    );
    assert_eq!(
        kept(&policy, &[("Request-Id", "|root.1")]).as_deref(),
        Some("root")
    );
}

#[test]
fn an_adapter_can_ask_what_it_has_to_do() {
    let plain = Policy::new();
    assert_eq!(response_header(&plain), Some("x-correlation-id"));
    assert_eq!(
        response_header(&plain.clone().response_header("X-Own")),
        Some("x-own")
    );
    assert_eq!(
        response_header(&plain.clone().without_response_header()),
        None
    );

    let rewriting = plain.clone().rewrite_request(true);
    assert_eq!(request_header(&plain), None);
    assert_eq!(request_header(&rewriting), Some("x-correlation-id"));
    assert_eq!(
        request_header(&rewriting.clone().headers(["X-Own"])),
        Some("x-own")
    );
    let sources = [Source::B3, Source::header("X-Own")];
    assert_eq!(
        request_header(&rewriting.clone().sources(sources)),
        Some("x-own")
    );
    assert_eq!(
        request_header(&rewriting.sources([Source::B3])),
        Some("x-correlation-id")
    );

    assert!(!wants_peer(&plain) && wants_peer(&plain.clone().access_record(true)));
    assert!(wants_peer(&plain.clone().trust(Trust::networks(["::1"]))));
    assert!(!wants_peer(&plain.clone().trust(Trust::never())));

    assert!(!rejects(&plain));
    assert!(rejects(&plain.clone().reject_missing(true)));
    assert!(rejects(&plain.clone().reject_invalid(true)));
}

#[test]
fn the_response_header_is_exposed_if_asked() {
    let exposing = Policy::new().expose_to_browsers(true);
    let exposed = |policy: &Policy, lines: &[&'static str]| {
        expose(policy, || lines.iter().map(|line| line.as_bytes()))
    };
    let ours = || Some(Expose::Set("x-correlation-id".into()));
    assert_eq!(exposed(&exposing, &[]), ours());
    assert_eq!(exposed(&exposing, &["", " , "]), ours());
    assert_eq!(exposed(&exposing, &["a", "X-Correlation-ID, b"]), None);
    let merged = Some(Expose::Set("a, b, x-correlation-id".into()));
    assert_eq!(exposed(&exposing, &["a", " b ,"]), merged);
    // What cannot be read stays as it is.
    assert_eq!(
        exposed(&exposing, &["a", "é"]),
        Some(Expose::Add("x-correlation-id"))
    );
    assert_eq!(exposed(&exposing, &["é", "x-correlation-id"]), None);
    assert_eq!(exposed(&Policy::new(), &[]), None);
    let own = exposing.clone().response_header("X-Shop-Id");
    assert_eq!(exposed(&own, &[]), Some(Expose::Set("x-shop-id".into())));
    assert_eq!(exposed(&exposing.without_response_header(), &[]), None);
}

#[test]
fn an_adapter_can_reach_into_a_scope() {
    let mut body = pin!(scoped(Context::from(id("a")), 1));
    assert_eq!(inner(&body), Some(&1));
    let read = |value: std::pin::Pin<&mut i32>| (*value, current().unwrap().to_string());
    assert_eq!(in_scope(body.as_mut(), read), Some((1, "a".to_owned())));
    let next = pin!(hand_over(body.as_mut(), 2));
    assert_eq!(in_scope(next, read), Some((2, "a".to_owned())));
    let ended = pin!(ended::<i32>());
    assert_eq!(inner(&ended), None);
    assert_eq!(in_scope(ended, read), None);
}

/// The `traceparent` of a call, and its `tracestate` if there is one.
fn sent(context: &Context) -> (String, Option<String>) {
    let sent = crate::sent(context);
    let [parent] = values(&sent, "traceparent")[..] else {
        panic!("not one traceparent: {sent:?}");
    };
    let state = values(&sent, "tracestate").first().map(ToString::to_string);
    (parent.to_owned(), state)
}

#[test]
fn who_participates_has_a_parent_id_for_every_call() {
    let policy = Policy::new().trace_context(TraceContext::Participate { sampled: false });
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
    let headers = [
        ("traceparent", trace),
        ("tracestate", "a=1"),
        (RID, "click-1"),
    ];
    let context = accepted(&policy, &headers);
    let calls: Vec<_> = (0..1_000).map(|_| sent(&context)).collect();
    let mut parents: Vec<_> = calls.iter().map(|(parent, _)| &parent[36..52]).collect();
    parents.sort_unstable();
    parents.dedup();
    assert_eq!(parents.len(), 1_000);
    assert!(!parents.contains(&"00f067aa0ba902b7") && !parents.contains(&"0000000000000000"));
    for (parent, state) in &calls {
        assert_eq!((&parent[..36], &parent[52..]), (&trace[..36], "-03"));
        assert_eq!(state.as_deref(), Some("a=1"));
    }
}

#[test]
fn who_participates_starts_a_trace_where_none_came_in() {
    let policy = |new| Policy::new().trace_context(TraceContext::Participate { sampled: new });
    let bad = ("traceparent", &TRACE[..54]);
    let all = [bad, ("tracestate", "a=1"), (RID, TRACE_ID)];

    // The ID as trace-id, whoever made it; random only if that was us.
    let (parent, state) = sent(&accepted(&policy(true), &all));
    assert!(parent.starts_with(&TRACE[..36]) && parent.ends_with("-01"));
    assert_eq!(state, None);
    for headers in [&all[..2], &[]] {
        let context = accepted(&policy(false), headers);
        let id = context.id().as_str().replace('-', "");
        assert_eq!(context.trace_id().unwrap().as_str(), id);
        let (parent, state) = sent(&context);
        assert!(parent.ends_with("-02") && state.is_none(), "{parent}");
    }

    // Not an ID in that form: one trace-id for all calls of the request.
    let context = accepted(&policy(true), &[(RID, "click-1")]);
    let (first, second) = (sent(&context).0, sent(&context).0);
    assert_eq!(first[..36], second[..36]);
    assert_ne!(first, second);
    assert!(first.ends_with("-03"));

    // Nothing is known about IDs of others.
    let custom = policy(false).generator(Generator::custom(|| TRACE_ID));
    assert!(sent(&accepted(&custom, &[])).0.ends_with("-00"));

    // A stranger's trace restarts.
    let strict = policy(false).trust(Trust::never());
    let trace = [("traceparent", TRACE), ("tracestate", "a=1")];
    let (parent, state) = sent(&accepted(&strict, &trace));
    assert!(!parent.contains(TRACE_ID) && state.is_none());
}

proptest! {
    #[test]
    fn any_headers_never_panic_and_always_give_a_valid_id(
        headers in proptest::collection::vec(
            ("(?i)x-correlation-id|x-request-id|traceparent|tracestate|b3|request-id|x-amzn-trace-id|[!-~]{0,70}",
             proptest::collection::vec(any::<u8>(), 0..300)), 0..6)
    ) {
        let policy = every_format();
        let lines = || headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let context = policy.receive(lines, None).into_context();
        prop_assert!(context.id().as_str().parse::<CorrelationId>().is_ok());
        prop_assert!(context.id().as_str().len() <= 128);
    }

    #[test]
    fn a_valid_id_is_kept_byte_for_byte(id in "[A-Za-z0-9._:+/=#@|~-]{1,128}", pad in "[ \t]{0,3}") {
        // A placeholder such as `-` is none.
        prop_assume!(Policy::new().accepts(id.as_bytes()));
        let value = format!("{pad}{id}{pad}");
        prop_assert_eq!(kept(&Policy::new(), &[("X-Correlation-Id", &value)]), Some(id));
    }
}
