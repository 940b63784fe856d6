//! The correlation ID is the trace-id.

use std::collections::HashSet;

use futures_util::future::join_all;
use opentelemetry::trace::SpanKind;
use opentelemetry_demo::policies;
use opentelemetry_demo::service::is_trace_id;

use correlation_testkit::TRACE;

use crate::support::{order, parent, start};

#[tokio::test]
async fn of_the_caller() {
    let url = start(is_trace_id).await;
    let parent = parent(0xA1);
    let outcome = order(&url, &[("traceparent", &parent)]).await;
    outcome.check();
    assert_eq!(outcome.id(), &parent[3..35]);
    assert_eq!(outcome.trace_id(), outcome.id());

    let spans = outcome.spans();
    let kinds: HashSet<_> = spans
        .iter()
        .map(|span| format!("{:?}", span.span_kind))
        .collect();
    let expected = [SpanKind::Server, SpanKind::Client].map(|kind| format!("{kind:?}"));
    assert_eq!(kinds, HashSet::from(expected));
    // The next service's parent is the span of the call: the SDK's, not the caller's passed on.
    let call = spans.iter().find(|span| span.span_kind == SpanKind::Client);
    let call = call.unwrap().span_context.span_id().to_string();
    assert_eq!(outcome.sent("traceparent")[0][36..52], call);
}

#[tokio::test]
async fn of_the_span_when_nothing_came_in() {
    let url = start(is_trace_id).await;
    for bad in [None, Some("00-nonsense-01")] {
        let headers: Vec<_> = bad.map(|bad| ("traceparent", bad)).into_iter().collect();
        let outcome = order(&url, &headers).await;
        outcome.check();
        assert_eq!(outcome.id().len(), 32);
        assert_eq!(outcome.trace_id(), outcome.id());
        assert_eq!(outcome.spans().len(), 2, "{bad:?}");
    }
}

/// The SDK's parser takes flags of one digit, against the grammar of W3C; the library's does not.
/// So only one of them may be asked.
#[tokio::test]
async fn of_a_caller_whom_only_the_sdk_understands() {
    let url = start(is_trace_id).await;
    let sloppy = &TRACE[..54];
    let outcome = order(&url, &[("traceparent", sloppy)]).await;
    outcome.check();
    assert_eq!(outcome.id(), &sloppy[3..35]);
    assert_eq!(outcome.trace_id(), outcome.id());
}

/// With or without a trace: there is one opinion on the ID, and it is the SDK's.
#[tokio::test]
async fn whatever_other_id_came_in() {
    let url = start(is_trace_id).await;
    let other = ("x-correlation-id", "click-1");
    let outcome = order(&url, &[other]).await;
    outcome.check();
    assert_eq!(outcome.trace_id(), outcome.id());

    let parent = parent(0xA2);
    let outcome = order(&url, &[other, ("traceparent", &parent)]).await;
    outcome.check();
    assert_eq!(outcome.id(), &parent[3..35]);
}

#[tokio::test]
async fn of_a_trace_that_is_not_sampled() {
    let url = start(is_trace_id).await;
    let parent = parent(0xA3).replace("-01", "-00");
    let outcome = order(&url, &[("traceparent", &parent)]).await;
    outcome.check();
    assert_eq!(outcome.id(), &parent[3..35]);
    assert!(outcome.sent("traceparent")[0].ends_with("-00"));
    assert!(outcome.spans().is_empty());
}

#[test]
fn of_the_same_form_without_a_span() {
    let policy = policies::is_trace_id();
    let nothing = || std::iter::empty::<(&str, &[u8])>();
    let ids: HashSet<_> = (0..100)
        .map(|_| {
            policy
                .receive(nothing, None)
                .into_context()
                .id()
                .to_string()
        })
        .collect();
    assert_eq!(ids.len(), 100);
    // What the caller sent is the SDK's to read, and nobody else's.
    let sent = || [("traceparent", TRACE.as_bytes())];
    let other = policy.receive(sent, None).into_context();
    assert_ne!(other.id(), &TRACE[3..35]);
    for id in ids {
        let is_hex = id
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        assert!(id.len() == 32 && is_hex, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_requests_at_once() {
    let url = start(is_trace_id).await;
    let requests = (0..100_u64).map(|n| {
        let (url, parent) = (url.clone(), parent(0xA00 + n));
        tokio::spawn(async move {
            let brought = (n % 2 == 0).then_some(("traceparent", parent.as_str()));
            let outcome = order(&url, brought.as_slice()).await;
            outcome.check();
            assert_eq!(outcome.spans().len(), 2);
            assert_eq!(outcome.trace_id(), outcome.id());
            if brought.is_some() {
                assert_eq!(outcome.id(), &parent[3..35]);
            }
            outcome.header
        })
    });
    let ids: HashSet<_> = join_all(requests)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(ids.len(), 100);
}
