//! W3C Trace Context (<https://www.w3.org/TR/trace-context-2/>): the trace context of a request,
//! and the trace context of its calls.

mod traceparent;
mod tracestate;

use std::fmt;

use arrayvec::ArrayString;

pub(crate) use traceparent::Traceparent;

use crate::context::Context;
use crate::diagnostics;
use crate::id::{CorrelationId, random};
use crate::names::{TRACEPARENT, TRACESTATE};

/// Chooses what the library does with the W3C headers `traceparent` and `tracestate`.
///
/// All modes read the inbound headers as section 3 says:
///
/// - A `traceparent` counts as absent if it is not valid, has more than 512 bytes, or comes twice.
///   Its `tracestate` then counts as absent, too.
/// - A `tracestate` is dropped if it is not valid or has more than 32 members. The `traceparent`
///   stays.
/// - At most 512 bytes of a `tracestate` are sent. From a longer one, whole members are removed:
///   first those of more than 128 bytes, then those at the end (section 3.3.3.1).
///
/// ```
/// use correlation_core::{Policy, TraceContext};
///
/// let policy = Policy::new().trace_context(TraceContext::Participate { sampled: false });
/// let context = policy.receive(|| [("X-Correlation-ID", "click-1")], None).into_context();
/// assert!(context.trace_id().is_some()); // a trace that starts here
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TraceContext {
    /// Never sends, replaces or removes the headers. Use this mode if a tracer such as
    /// OpenTelemetry owns them.
    Off,
    /// Passes a valid inbound trace context unchanged to every outbound call, with its
    /// `tracestate`.
    ///
    /// If no valid trace context came in, the library sends none. It records no spans. A trace that
    /// it started would switch sampling on or off for all services behind this one.
    #[default]
    Forward,
    /// Takes part in the trace (section 3.4): each outbound call gets a new random parent-id, which
    /// is logged as `span_id` when the call is made.
    ///
    /// Without a valid inbound trace context, the library starts a trace with the `sampled` flag
    /// that you give here.
    ///
    /// The flag has no default, since the services behind this one follow it. An unsampled trace
    /// switches off their tracing for all requests that come without a trace. A sampled trace
    /// forces it.
    Participate {
        /// The `sampled` flag of traces that start here (section 3.2.2.5.1). `true` says that the
        /// sender may have recorded the trace.
        sampled: bool,
    },
}

/// A W3C trace-id: 32 lower-case hexadecimal digits, not all zero (section 3.2.2.3).
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct TraceId(ArrayString<32>);

impl TraceId {
    /// Returns the 32 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TraceId").field(&self.as_str()).finish()
    }
}

impl AsRef<str> for TraceId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<TraceId> for CorrelationId {
    /// Takes the digits unchanged, so that one search finds the log lines and the trace.
    fn from(id: TraceId) -> Self {
        Self::from_valid(id.as_str())
    }
}

/// The trace context of a request, and the form in which its calls send it.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) parent: Traceparent,
    state: Option<Box<str>>,
    participates: bool,
}

impl Trace {
    /// Makes a trace from the inbound headers. `state` gives the `tracestate` lines in their order.
    /// It is read only here, since a `tracestate` without a valid `traceparent` must not even be
    /// parsed (section 3.3).
    pub(crate) fn new<'h>(
        parent: Traceparent,
        mode: TraceContext,
        state: impl Iterator<Item = &'h [u8]>,
    ) -> Self {
        Self {
            parent,
            state: tracestate::combine(state),
            participates: matches!(mode, TraceContext::Participate { .. }),
        }
    }

    /// Starts a trace for a request with this ID. If the ID has the form of a trace-id, it becomes
    /// the trace-id, so that one search finds both.
    ///
    /// `generated` says that the ID was made here, so its last 7 bytes are random (section
    /// 3.2.2.5.2).
    pub(crate) fn start(id: &CorrelationId, generated: bool, sampled: bool) -> Self {
        let (trace_id, random) = match traceparent::trace_id_of(id.as_str()) {
            Some(trace_id) => (trace_id, generated),
            None => (random::random_nonzero(), true),
        };
        Self {
            parent: Traceparent::new(&trace_id, sampled, random),
            state: None,
            participates: true,
        }
    }

    /// Writes the `traceparent` and the `tracestate` of one outbound call.
    pub(crate) fn send(&self, context: &Context, mut set: impl FnMut(&'static str, &str)) {
        let parent = if self.participates {
            let parent = self.parent.with_parent_id(&random::random_nonzero());
            diagnostics::outbound(context, parent.parent_id_str());
            parent
        } else {
            self.parent
        };
        set(TRACEPARENT, parent.as_str());
        if let Some(state) = &self.state {
            set(TRACESTATE, state);
        }
    }

    /// Whether a call still holds the inbound `traceparent`, although each call must have a new
    /// one.
    pub(crate) fn replaces(&self, sent: &Traceparent) -> bool {
        self.participates && self.parent == *sent
    }
}
