//! What goes along in the metadata of a task.

use apalis::prelude::*;
use correlation::{Context, Policy, TraceContext};
use correlation_apalis::{Propagated, correlation};
use correlation_testkit::{TRACE, id, received};

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
    for metadata in pushed(received(&Policy::new(), "click-1")) {
        assert_eq!(metadata.get("correlation_id"), Some("click-1"));
        assert_eq!(metadata.get("traceparent"), Some(TRACE));
        assert_eq!(metadata.get("tracestate"), Some("a=1"));
        assert_eq!(metadata.len(), 3);
    }
    for metadata in pushed(id("click-1").into()) {
        assert_eq!(metadata.len(), 1);
    }
}

#[test]
fn who_participates_gives_each_push_a_parent_of_its_own() {
    let policy = Policy::new().trace_context(TraceContext::Participate { sampled: true });
    let [one, two] =
        pushed(received(&policy, "click-1")).map(|metadata| metadata["traceparent"].clone());
    assert!(one.starts_with(&TRACE[..36]) && two.starts_with(&TRACE[..36]));
    assert_ne!(one, two);
    assert!(one != TRACE && two != TRACE);
}

/// Metadata that was copied from another job does not send that job's ID on.
#[test]
fn the_id_wins_over_what_a_task_has_already_and_nothing_fails() {
    let spellings = [
        "correlation_id",
        "X-Correlation-ID",
        "correlationId",
        "x_correlation_id",
        "X_CORRELATION_ID",
    ];
    let mut store = MetadataStore::from_iter(spellings.map(|key| (key, "copied")));
    store.extend([("tracestate", "own"), ("x", "y")]);
    let all = Propagated::from(received(&Policy::new(), "click-1"));
    let Ok(()) = all.inject(&mut store);
    let Ok(()) = all.inject(&mut store);
    assert_eq!(store.get("correlation_id"), Some("click-1"));
    assert_eq!(store.get("traceparent"), Some(TRACE));
    assert_eq!(store.get("tracestate"), Some("a=1"));
    assert_eq!(store.get("x"), Some("y"));
    assert_eq!(store.len(), 4);
    let Ok(read) = Propagated::extract(&store);
    assert_eq!(read.context().id(), &id("click-1"));
}

/// A tracer that runs beside this library writes a trace of its own.
#[test]
fn the_trace_of_a_tracer_stays_and_a_copied_one_goes() {
    let policy = Policy::new().trace_context(TraceContext::Participate { sampled: true });
    let context = received(&policy, "click-1");
    let inject = |traceparent: &str| {
        let mut store = MetadataStore::from_iter([("Traceparent", traceparent)]);
        store.extend([("tracestate", "own")]);
        let Ok(()) = Propagated::from(context.clone()).inject(&mut store);
        store
    };
    let tracer = format!("00-{}-{}-01", "b".repeat(32), "c".repeat(16));
    let store = inject(&tracer);
    assert_eq!(store.get("Traceparent"), Some(&*tracer));
    assert_eq!(store.get("tracestate"), Some("own"));
    assert_eq!(store.len(), 3);

    // Nor does a tracer write what is not valid.
    for copied in [TRACE, "not valid"] {
        let store = inject(copied);
        assert_eq!(store.get("Traceparent"), None);
        assert!(store["traceparent"].starts_with(&TRACE[..36]) && store["traceparent"] != TRACE);
        assert_eq!(store.get("tracestate"), Some("a=1"));
    }
}
