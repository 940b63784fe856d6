//! How often the library allocates: exact numbers, since an allocation more is what makes a
//! request slower, and no stopwatch would tell.

#![cfg(all(feature = "http", feature = "tracing"))]

use std::hint::black_box;
use std::io::{self, Write};
use std::pin::pin;
use std::task::{Context as TaskContext, Waker};

use allocation_counter::measure;
use correlation_core::adapter::http::{ResponseHeaders, receive};
use correlation_core::{
    Context, CorrelationId, Generator, Policy, TraceContext, current, scope, sync_scope, tag,
};
use correlation_testkit::TRACE;
use http::{HeaderMap, HeaderValue};
use tracing::dispatcher;

/// Allocations of the second run: the first may set up what a thread keeps.
fn allocations<R>(mut run: impl FnMut() -> R) -> u64 {
    black_box(run());
    measure(|| {
        black_box(run());
    })
    .count_total
}

fn id() -> CorrelationId {
    CorrelationId::new()
}

fn headers(value: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("*/*"));
    if let Some(value) = value {
        headers.insert("x-correlation-id", value.parse().unwrap());
    }
    headers
}

#[test]
fn new_ids_cost_nothing() {
    for generator in [Generator::uuid_v4(), Generator::uuid_v7(), Generator::hex()] {
        assert_eq!(allocations(|| generator.generate()), 0, "{generator:?}");
    }
}

#[test]
fn a_header_value_costs_one() {
    let id = id();
    assert_eq!(allocations(|| HeaderValue::from(&id)), 1);
}

#[test]
fn short_ids_are_parsed_and_cloned_for_nothing() {
    for (len, expected) in [(1, 0), (36, 0), (40, 0), (41, 1)] {
        let text = "x".repeat(len);
        let parse = || text.parse::<CorrelationId>().unwrap();
        assert_eq!(allocations(parse), expected, "{len} bytes");
        let id = parse();
        assert_eq!(allocations(|| id.clone()), 0, "{len} bytes");
    }
}

#[test]
fn inbound_requests_cost_nothing() {
    let policy = Policy::new();
    for value in [None, Some("7F000001:8296_4F7B0A69"), Some("not valid")] {
        let headers = headers(value);
        let context = || policy.receive(|| &headers, None).into_context();
        assert_eq!(
            allocations(|| sync_scope(context(), current)),
            0,
            "{value:?}"
        );
        let request = || poll(scope(context(), async { current() }), 1);
        assert_eq!(allocations(request), 0, "{value:?}");
        // Two at once need memory for one more.
        let two = || sync_scope(context(), || (current(), Context::from(id())));
        assert_eq!(allocations(two), 1, "{value:?}");
    }
}

/// Whatever a caller sends, it is not copied.
#[test]
fn hostile_headers_cost_nothing() {
    let policy = Policy::new();
    let long = HeaderValue::try_from("a, ".repeat(20_000)).unwrap();
    let mut hostile = HeaderMap::new();
    for name in [
        "x-correlation-id",
        "x-request-id",
        "traceparent",
        "tracestate",
    ] {
        for _ in 0..25 {
            hostile.append(name, long.clone());
        }
    }
    let context = |headers: &HeaderMap| policy.receive(|| headers, None).into_context();
    assert_eq!(allocations(|| sync_scope(context(&hostile), current)), 0);
    // A trace goes on, and its state is too long to go on with it: what is held of it is where
    // its lines are.
    hostile.insert("traceparent", TRACE.parse().unwrap());
    drop(context(&hostile));
    let measured = measure(|| drop(black_box(context(&hostile))));
    assert!(measured.bytes_max < 2_000, "{measured:?}");
}

/// What is more than an ID is made for each request: nobody holds it for the next one.
#[test]
fn a_trace_costs_one() {
    let policy = Policy::new().trace_context(TraceContext::Participate { sampled: false });
    let headers = headers(None);
    let context = || policy.receive(|| &headers, None).into_context();
    assert_eq!(allocations(|| sync_scope(context(), current)), 1);
}

#[test]
fn the_header_value_that_came_is_shared() {
    let policy = Policy::new();
    let mut headers = headers(None);
    let value = HeaderValue::from(id());
    // The first clone of a value makes its bytes shared.
    headers.insert("x-correlation-id", value.clone());
    let request = || {
        let (decision, shared) = receive(&policy, &headers, None);
        assert_eq!(shared, value);
        sync_scope(decision.into_context(), current)
    };
    assert_eq!(allocations(request), 0);
}

#[test]
fn a_response_header_costs_nothing() {
    let prepared = ResponseHeaders::new(&Policy::new());
    let (value, mut headers) = (HeaderValue::from_static("id"), headers(None));
    assert_eq!(allocations(|| prepared.set(value.clone(), &mut headers)), 0);
}

#[test]
fn scopes_and_reads_cost_nothing() {
    let context = Context::from(id());
    assert_eq!(allocations(|| sync_scope(context.clone(), current)), 0);
    let polls = || poll(scope(context.clone(), std::future::pending::<()>()), 10);
    assert_eq!(allocations(polls), 0);
}

fn poll(future: impl Future, times: usize) {
    let mut future = pin!(future);
    let mut cx = TaskContext::from_waker(Waker::noop());
    for _ in 0..times {
        let _ = black_box(future.as_mut().poll(&mut cx));
    }
}

#[test]
fn a_tagged_line_costs_what_the_formatter_does() {
    let context = Context::from(id());
    let text = || tracing_subscriber::fmt().with_writer(|| Sink);
    let json = || tracing_subscriber::fmt().json().with_writer(|| Sink);
    let event = |dispatch: tracing::Dispatch| {
        dispatcher::with_default(&dispatch, || {
            sync_scope(context.clone(), || {
                allocations(|| tracing::info!(rows = 3, "query done"))
            })
        })
    };
    let bare = event(text().finish().into());
    assert_eq!(event(text().map_writer(tag).finish().into()), bare);
    let bare = event(json().finish().into());
    assert_eq!(event(json().map_writer(tag).finish().into()), bare);
}

struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
