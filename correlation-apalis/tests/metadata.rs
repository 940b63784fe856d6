//! What goes along in the metadata of a task.

use apalis::prelude::*;
use correlation::{Context, CorrelationId, NewTraces, Policy, TraceContext};
use correlation_apalis::{Propagated, correlation};

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn traced(policy: &Policy) -> Context {
    policy.extract_with(|key| match key {
        "correlation_id" => Some("click-1"),
        "traceparent" => Some(TRACE),
        "tracestate" => Some("vendor=1"),
        _ => None,
    })
}

/// The metadata of two tasks that are made in the same scope.
fn pushed(context: Context) -> [MetadataStore; 2] {
    correlation::sync_scope(context, || {
        [1, 2].map(|job| {
            let task = TaskBuilder::new(job).metadata(&Propagated::new()).build();
            task.metadata().clone()
        })
    })
}

#[test]
fn the_trace_context_goes_along_as_it_came() {
    for metadata in pushed(traced(&Policy::new())) {
        assert_eq!(metadata.get("correlation_id"), Some("click-1"));
        assert_eq!(metadata.get("traceparent"), Some(TRACE));
        assert_eq!(metadata.get("tracestate"), Some("vendor=1"));
        assert_eq!(metadata.len(), 3);
    }
    for metadata in pushed(id("click-1").into()) {
        assert_eq!(metadata.len(), 1);
    }
}

#[test]
fn who_participates_gives_each_push_a_parent_of_its_own() {
    let policy = Policy::new().trace_context(TraceContext::Participate(NewTraces::Sampled));
    let [one, two] = pushed(traced(&policy)).map(|metadata| metadata["traceparent"].clone());
    assert!(one.starts_with(&TRACE[..36]) && two.starts_with(&TRACE[..36]));
    assert_ne!(one, two);
    assert!(one != TRACE && two != TRACE);
}

#[test]
fn what_a_task_has_already_is_left_alone_and_nothing_fails() {
    let mut store = MetadataStore::from_iter([("correlation_id", "own"), ("tracestate", "own")]);
    let all = Propagated::from(traced(&Policy::new()));
    let Ok(()) = all.inject(&mut store);
    let Ok(()) = all.inject(&mut store);
    assert_eq!(store.get("correlation_id"), Some("own"));
    assert_eq!(store.get("traceparent"), None);
    assert_eq!(store.get("tracestate"), Some("own"));
    let Ok(read) = Propagated::extract(&store);
    assert_eq!(read.context().id(), &id("own"));
}
