//! What reqwest sends, as read from the socket.

mod builder;
mod concurrent;
mod redirect;
mod request;
mod retry;

use correlation_core::{Context, CorrelationId, Policy};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

/// The context of a request that came in with an ID and a trace.
fn traced() -> Context {
    let headers = [
        ("x-correlation-id", "click-1"),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
    ];
    let lines = headers.map(|(name, value)| (name, value.as_bytes()));
    Policy::new().receive(|| lines, None).unwrap()
}

fn sent(id: &str) -> Option<String> {
    Some(id.to_owned())
}
