//! What the public API promises, a module for each promise.

#[cfg(feature = "tracing")]
mod access;
#[cfg(feature = "testing")]
mod calls;
#[cfg(feature = "serde")]
mod carried;
mod carriers;
mod context;
mod debug;
#[cfg(feature = "http")]
mod header_maps;
#[cfg(feature = "tracing")]
mod inbound;
#[cfg(all(feature = "log", feature = "tracing"))]
mod lines;
#[cfg(feature = "log")]
mod log_doors;
#[cfg(feature = "tokio")]
mod model;
mod outbound;
mod policy;
mod rayon;
#[cfg(all(feature = "log", feature = "tracing"))]
mod records;
#[cfg(feature = "tracing")]
mod trace_context;
#[cfg(feature = "tracing")]
mod tracing_lines;

use std::panic::{AssertUnwindSafe, catch_unwind};

use correlation_core::adapter::{Decision, Peer};
use correlation_core::{Context, Origin, Policy, current, inject, sync_scope};
use correlation_testkit::{CORRELATION_ID as CID, TRACE, TRACE_ID, id};

const RID: &str = "x-request-id";

/// What a setter panics with, or nothing.
fn refused<T>(set: impl FnOnce() -> T) -> String {
    let panicked = catch_unwind(AssertUnwindSafe(|| drop(set()))).err();
    panicked.map_or_else(String::new, |why| *why.downcast().unwrap())
}

/// The ambient ID, or `none`.
fn seen() -> String {
    current().map_or_else(|| "none".to_owned(), String::from)
}

fn receive(policy: &Policy, headers: &[(&str, &str)], peer: impl Into<Peer>) -> Decision {
    policy.receive(|| headers.iter().copied(), peer)
}

/// The context of a request that is not rejected.
fn accepted(policy: &Policy, headers: &[(&str, &str)]) -> Context {
    let decision = receive(policy, headers, None);
    assert_eq!(decision.rejected(), None);
    decision.into_context()
}

/// The caller's ID, if it was taken.
fn kept(policy: &Policy, headers: &[(&str, &str)]) -> Option<String> {
    brought(&accepted(policy, headers))
}

/// The ID, if it was not made here.
fn brought(context: &Context) -> Option<String> {
    (context.origin() != Origin::Generated).then(|| context.id().to_string())
}

/// Header lines as they go out with a call.
type Sent = Vec<(String, String)>;

fn sent(context: &Context) -> Sent {
    let mut sent = Sent::new();
    sync_scope(context.clone(), || inject(&mut sent));
    sent
}

/// The values under one key.
fn values<'s>(sent: &'s Sent, key: &str) -> Vec<&'s str> {
    let values = sent.iter().filter(|(known, _)| known == key);
    values.map(|(_, value)| value.as_str()).collect()
}

/// What the log says while `f` runs, a record a line.
#[cfg(feature = "tracing")]
fn logged<R>(f: impl FnOnce() -> R) -> (R, String) {
    use tracing_subscriber::util::SubscriberInitExt as _;

    let log = correlation_testkit::Capture::default();
    let guard = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_ansi(false)
        .without_time()
        .with_writer(correlation_core::tag(log.clone()))
        .set_default();
    let result = f();
    drop(guard);
    (result, log.text())
}
