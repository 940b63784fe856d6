//! The ID on its way out: into the headers of a call or a message, and into child processes.

mod child;
mod maps;
mod targets;

pub use child::propagate_to;
pub use targets::{Destination, Targets};

use crate::context::{Context, Injector};

/// Writes the ambient ID to a carrier: `set` is called with each key and value to send, in lower
/// case. Outside of any scope it is not called.
///
/// The keys are `x-correlation-id`, and `traceparent` and `tracestate` as the policy's
/// [`TraceContext`](crate::TraceContext) says: by default when a valid trace context came in. What
/// `set` returns is ignored, so `insert` of most maps fits as it is.
///
/// A closure sees nothing of what the carrier holds already, and can take nothing out. So do not
/// give it headers that were copied from another request or message: with a `set` that appends, as
/// for Kafka, the old ID would stand beside the new one. [`inject`] is for such headers.
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

/// Writes the ambient ID to a map, as [`inject_with`] does, in place of whatever is there: the ID
/// that counts is the ambient one. Headers that were copied from the request that is being
/// answered do not send the caller's ID on.
///
/// - `x-correlation-id` is set once. Every other spelling of it, in whatever case, is removed.
/// - A `traceparent` that was copied from a caller whom the policy does not trust is removed, with
///   its `tracestate`. So is the caller's own one where this service takes part in the trace
///   ([`Participate`](crate::TraceContext::Participate)), since each call has a new
///   one. Any other `traceparent` stays, as a tracer has set it, and none is added.
/// - A `tracestate` means nothing without its `traceparent` (W3C Trace Context section 3.3). One
///   that stands alone gives way to the `traceparent` that is written here.
/// - A receiver takes none of several `traceparent`. If one of them was copied, all are removed.
///
/// Outside of any scope, and in [`detached`](crate::detached), nothing is added and nothing
/// removed. To send another ID with one call, make that call in a [`scope`](crate::scope) of its
/// own; to send none, in `detached`.
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
pub fn inject(carrier: &mut (impl Injector + ?Sized)) {
    if let Some(context) = Context::current() {
        context.inject(carrier);
    }
}
