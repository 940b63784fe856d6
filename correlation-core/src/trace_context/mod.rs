//! W3C Trace Context (<https://www.w3.org/TR/trace-context-2/>): what came in, and what goes out.

mod traceparent;
mod tracestate;

use std::fmt;

use arrayvec::ArrayString;

pub(crate) use traceparent::Traceparent;

use crate::diagnostics;
use crate::id::{CorrelationId, random};
use crate::names::{TRACEPARENT, TRACESTATE};

/// What the library does with the W3C headers `traceparent` and `tracestate`.
///
/// What came in is taken as section 3 says, in all modes alike. A `traceparent` that is not valid,
/// has more than 512 bytes, or came twice is as good as absent, and its `tracestate` with it. A
/// `tracestate` that is not valid, or has more than 32 members, is left out, and the `traceparent`
/// stays. 512 bytes of it are sent: of a longer one, whole members are left out, those of more
/// than 128 bytes first, then from the end (section 3.3.3.1).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TraceContext {
    /// Never send, replace or remove the headers: a tracer such as OpenTelemetry owns them.
    Off,
    /// Pass a valid inbound context on unchanged to every outbound call, with its `tracestate`.
    /// When nothing valid came in, nothing is sent: this library records no spans, and a trace
    /// that it started would switch sampling on or off for everybody behind it.
    #[default]
    Forward,
    /// Take part in the trace (section 3.4): every outbound call has a new random parent-id,
    /// which is logged as `span_id` when the call is made. Without a valid inbound context a
    /// trace is started, whose `sampled` flag is as given here.
    ///
    /// There is no default for that flag, since services behind this one follow it: unsampled
    /// switches their tracing off for all requests that come without a trace, sampled forces it.
    Participate {
        /// The `sampled` flag of traces that start here (section 3.2.2.5.1): `true` says that the
        /// caller may have recorded the trace.
        sampled: bool,
    },
}

/// A W3C trace-id: 32 lower-case hexadecimal digits, not all zero (section 3.2.2.3).
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct TraceId(ArrayString<32>);

impl TraceId {
    /// The 32 digits.
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
    /// The digits as they are: then both systems are found by one search.
    fn from(id: TraceId) -> Self {
        Self::from_valid(id.as_str())
    }
}

/// The trace context of a request, and how it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) parent: Traceparent,
    state: Option<Box<str>>,
    participates: bool,
}

impl Trace {
    /// A context that came in. `state` gives the `tracestate` lines in their order; it is asked
    /// only now, since a `tracestate` without a valid `traceparent` must not even be parsed
    /// (section 3.3).
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

    /// A context that begins here, for a request with this ID. Its trace-id is the ID if that has
    /// the form of one, so that one search finds both.
    ///
    /// `generated`: the ID was made here, so its last 7 bytes are random (section 3.2.2.5.2).
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

    /// Writes the `traceparent` and the `tracestate` of one call.
    pub(crate) fn send(&self, mut set: impl FnMut(&'static str, &str)) {
        let parent = if self.participates {
            let parent = self.parent.with_parent_id(&random::random_nonzero());
            diagnostics::outbound(parent.parent_id_str());
            parent
        } else {
            self.parent
        };
        set(TRACEPARENT, parent.as_str());
        if let Some(state) = &self.state {
            set(TRACESTATE, state);
        }
    }

    /// Whether this `traceparent` of a call is the one that came in, while each call has to have
    /// one of its own.
    pub(crate) fn replaces(&self, sent: &Traceparent) -> bool {
        self.participates && self.parent == *sent
    }
}
