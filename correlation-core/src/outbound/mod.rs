//! Writes the ID to the headers of calls and messages, and to the environment of child processes.

mod child;
mod maps;
mod targets;

pub use child::propagate_to;
pub use targets::{Destination, Targets};

use crate::context::{Context, Injector};

/// Writes the current ID to a carrier. `set` is called with each key, in lower case, and its value.
/// Outside any scope it is not called.
///
/// The keys are `x-correlation-id`, and `traceparent` and `tracestate` as the policy's
/// [`TraceContext`](crate::TraceContext) says. By default those two are sent only if a valid trace
/// context came in. The return value of `set` is ignored, so you can pass `insert` of most maps.
///
/// A closure cannot see or remove headers that the carrier already holds. So do not use it for
/// headers that you copied from another request or message. With a `set` that appends, as for
/// Kafka, the old ID would stay beside the new one. Use [`inject`] for such headers.
///
/// ```
/// use correlation_core::{CorrelationId, inject_with, sync_scope};
/// use std::collections::HashMap;
///
/// let mut headers = HashMap::new();
/// sync_scope("click-1".parse::<CorrelationId>()?, || {
///     inject_with(|key, value| headers.insert(key, value.to_owned()));
/// });
/// assert_eq!(headers["x-correlation-id"], "click-1");
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
pub fn inject_with<R>(set: impl FnMut(&'static str, &str) -> R) {
    if let Some(context) = Context::current() {
        context.write(set);
    }
}

/// Writes the current ID to a map, as [`inject_with`] does, and replaces an ID that is already
/// there. So headers that you copied from the inbound request do not forward the caller's ID.
///
/// - `x-correlation-id` is set once. Every other header of that name, in any case, is removed.
/// - A `traceparent` that you copied from an untrusted caller is removed with its `tracestate`. If
///   this service takes part in the trace ([`Participate`](crate::TraceContext::Participate)), a
///   copied inbound `traceparent` is removed as well, since each call gets a new one. Any other
///   `traceparent` stays, since a tracer has set it, and none is added.
/// - A `tracestate` means nothing without its `traceparent` (W3C Trace Context, section 3.3). A
///   `tracestate` without one is replaced by the trace that is written here.
/// - No tracer writes a `traceparent` that is not valid, or more than one. So they count as copied,
///   and all are removed.
/// - If the context has no trace, and its caller is not untrusted, no `traceparent` is touched.
///
/// Outside any scope, and in [`detached`](crate::detached), nothing is added or removed. To send a
/// different ID with one call, make the call in a separate [`scope`](crate::scope). To send none,
/// make it in `detached`.
///
/// ```
/// use correlation_core::{CorrelationId, inject, sync_scope};
/// use std::collections::HashMap;
///
/// let mut headers = HashMap::from([("X-Correlation-ID".to_owned(), "copied".to_owned())]);
/// sync_scope("click-1".parse::<CorrelationId>()?, || inject(&mut headers));
/// assert_eq!(headers["x-correlation-id"], "click-1");
/// assert_eq!(headers.len(), 1);
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
pub fn inject(carrier: &mut impl Injector) {
    if let Some(context) = Context::current() {
        context.inject(carrier);
    }
}
