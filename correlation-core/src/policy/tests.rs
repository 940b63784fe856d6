//! What can go wrong in a policy itself. Its rules as a whole are the cases of
//! `correlation-testkit`, which every adapter runs.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::*;
use crate::{Context, NewTraces, Source, inject_with, sync_scope};

fn receive(policy: &Policy, headers: &[(&str, &str)]) -> Result<Context, Rejected> {
    policy.receive(
        || {
            headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes()))
        },
        None,
    )
}

fn kept(policy: &Policy, headers: &[(&str, &str)]) -> Option<String> {
    let context = receive(policy, headers).unwrap();
    (context.source() != Source::Generated).then(|| context.id().to_string())
}

#[test]
fn sources_have_their_turn_in_order() {
    let policy = Policy::new();
    let trace = (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    );
    let all = [trace, ("X-REQUEST-ID", "r"), ("x-correlation-id", "c")];
    assert_eq!(kept(&policy, &all).as_deref(), Some("c"));
    assert_eq!(kept(&policy, &all[..2]).as_deref(), Some("r"));
    assert_eq!(
        kept(&policy, &all[..1]).as_deref(),
        Some("4bf92f3577b34da6a3ce929d0e0e4736")
    );
    assert_eq!(kept(&policy, &[]), None);
    let trace_first = Policy::new().headers(["Traceparent", "X-Correlation-ID"]);
    let expected = Some("4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(kept(&trace_first, &all).as_deref(), expected);
    let no_trace = Policy::new().headers(["X-Own"]).trace_id_as_id(false);
    assert_eq!(kept(&no_trace, &all), None);
    assert!(
        receive(&no_trace, &all).unwrap().trace_id().is_some(),
        "it is forwarded all the same"
    );
}

#[test]
fn without_an_id_nobody_asks_for_trust() {
    let policy = Policy::new().trust(Trust::when(|_| panic!("asked")));
    assert_eq!(
        kept(
            &policy,
            &[("accept", "*/*"), ("x-correlation-id", "not valid")]
        ),
        None
    );
}

#[test]
fn trust_sees_the_peer_and_the_headers() {
    let policy = Policy::new().trust(Trust::when(|caller| {
        caller.addr().is_some_and(|addr| addr.is_loopback())
            && caller.header("X-Gateway") == Some("edge-1")
    }));
    let headers = [("x-gateway", "edge-1"), ("x-correlation-id", "c")];
    let lines = || headers.map(|(name, value)| (name, value.as_bytes()));
    let from = |peer: [u8; 4]| {
        policy
            .receive(lines, Some(IpAddr::V4(Ipv4Addr::from(peer))))
            .unwrap()
    };
    assert_eq!(from([127, 0, 0, 1]).id(), &"c");
    let stranger = from([10, 0, 0, 1]);
    assert_eq!(stranger.source(), Source::Generated);
    assert_eq!(stranger.upstream_id().unwrap(), &"c");
}

#[test]
fn an_entered_scope_goes_on() {
    let policy = Policy::new().on_missing(OnMissing::Reject);
    let outer: CorrelationId = "outer".parse().unwrap();
    let seen = sync_scope(outer, || kept(&policy, &[("x-correlation-id", "inner")]));
    assert_eq!(seen.as_deref(), Some("outer"));
}

#[test]
fn a_rejected_request_has_a_fresh_id() {
    let policy = Policy::new()
        .on_invalid(OnInvalid::Reject)
        .on_missing(OnMissing::Reject);
    for (headers, reason) in [
        (&[][..], "the request has no correlation ID"),
        (
            &[("x-correlation-id", "not valid")],
            "the correlation ID of the request is not valid",
        ),
        (
            &[
                ("x-correlation-id", "a"),
                ("x-correlation-id", "b"),
                ("x-request-id", "c"),
            ],
            "the correlation ID of the request is not valid",
        ),
    ] {
        let rejected = receive(&policy, headers).unwrap_err();
        assert_eq!(rejected.to_string(), reason);
        assert_eq!(rejected.context().source(), Source::Generated);
    }
    assert_eq!(
        kept(
            &policy,
            &[("x-correlation-id", "a"), ("x-request-id", "not valid")]
        )
        .unwrap(),
        "a"
    );
}

#[test]
fn bad_settings_say_what_is_allowed() {
    let message = |result: Result<Policy, InvalidPolicy>| result.unwrap_err().to_string();
    assert_eq!(
        message(Policy::new().try_max_len(256)),
        "correlation policy, max_len: the length must be 1 to 255 bytes"
    );
    assert!(message(Policy::new().try_headers(["two words"])).contains("headers: a header name"));
    assert!(message(Policy::new().try_headers(["a"; 9])).contains("at most 8"));
    assert!(message(Policy::new().try_response_header("")).contains("response_header"));
    assert!(std::panic::catch_unwind(|| Policy::new().max_len(0)).is_err());
}

#[test]
fn the_longest_allowed_name_lists_are_watched_to_the_end() {
    let names: Vec<_> = (1..=8)
        .map(|n| format!("x-{}", "n".repeat(n * 9)))
        .collect();
    let policy = Policy::new().headers(&names).parsers([
        Parser::B3,
        Parser::XAmznTraceId,
        Parser::XCloudTraceContext,
        Parser::RequestId,
    ]);
    assert_eq!(
        kept(&policy, &[(&names[7], "last")]).as_deref(),
        Some("last")
    );
    assert_eq!(
        kept(&policy, &[("Request-Id", "|root.1")]).as_deref(),
        Some("root")
    );
}

fn sent(context: Context) -> (String, Option<String>) {
    let mut parent = Vec::new();
    let mut state = None;
    sync_scope(context, || {
        inject_with(|key, value| match key {
            "traceparent" => parent.push(value.to_owned()),
            "tracestate" => state = Some(value.to_owned()),
            _ => {}
        });
    });
    assert_eq!(parent.len(), 1, "one traceparent");
    (parent.remove(0), state)
}

#[test]
fn who_participates_has_a_parent_id_for_every_call() {
    let policy = Policy::new().trace_context(TraceContext::Participate(NewTraces::Unsampled));
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
    let headers = [
        ("traceparent", trace),
        ("tracestate", "a=1"),
        ("x-request-id", "click-1"),
    ];
    let context = receive(&policy, &headers).unwrap();
    let calls: Vec<_> = (0..1_000).map(|_| sent(context.clone())).collect();
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
    let policy = |new| Policy::new().trace_context(TraceContext::Participate(new));
    let bad = (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
    );
    let all = [
        bad,
        ("tracestate", "a=1"),
        ("x-request-id", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ];

    // The ID as trace-id, whoever made it; random only if that was us.
    let (parent, state) = sent(receive(&policy(NewTraces::Sampled), &all).unwrap());
    assert!(parent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && parent.ends_with("-01"));
    assert_eq!(state, None);
    for headers in [&all[..2], &[]] {
        let context = receive(&policy(NewTraces::Unsampled), headers).unwrap();
        let id = context.id().as_str().replace('-', "");
        assert_eq!(context.trace_id().unwrap().as_str(), id);
        let (parent, state) = sent(context);
        assert!(parent.ends_with("-02") && state.is_none(), "{parent}");
    }

    // Not an ID in that form: one trace-id for all calls of the request.
    let context = receive(&policy(NewTraces::Sampled), &[("x-request-id", "click-1")]).unwrap();
    let (first, second) = (sent(context.clone()).0, sent(context).0);
    assert_eq!(first[..36], second[..36]);
    assert_ne!(first, second);
    assert!(first.ends_with("-03"));

    // Nothing is known about IDs of others.
    let custom = policy(NewTraces::Unsampled)
        .generator(Generator::custom(|| "4bf92f3577b34da6a3ce929d0e0e4736"));
    assert!(sent(receive(&custom, &[]).unwrap()).0.ends_with("-00"));

    // A stranger's trace restarts.
    let trace = (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    );
    let strict = policy(NewTraces::Unsampled).trust(Trust::Never);
    let (parent, state) = sent(receive(&strict, &[trace, ("tracestate", "a=1")]).unwrap());
    assert!(!parent.contains("4bf92f3577b34da6a3ce929d0e0e4736") && state.is_none());
}

proptest! {
    #[test]
    fn any_headers_never_panic_and_always_give_a_valid_id(
        headers in proptest::collection::vec(
            ("(?i)x-correlation-id|x-request-id|traceparent|tracestate|b3|request-id|x-amzn-trace-id|[!-~]{0,70}",
             proptest::collection::vec(any::<u8>(), 0..300)), 0..6)
    ) {
        let policy = Policy::new().parsers([
            Parser::B3, Parser::XAmznTraceId, Parser::XCloudTraceContext, Parser::RequestId,
        ]);
        let lines = || headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let context = policy.receive(lines, None).unwrap();
        prop_assert!(context.id().as_str().parse::<CorrelationId>().is_ok());
        prop_assert!(context.id().as_str().len() <= 128);
    }

    #[test]
    fn a_valid_id_is_kept_byte_for_byte(id in "[A-Za-z0-9._:+/=#@|~-]{1,128}", pad in "[ \t]{0,3}") {
        let value = format!("{pad}{id}{pad}");
        prop_assert_eq!(kept(&Policy::new(), &[("X-Correlation-Id", &value)]), Some(id));
    }
}
