//! W3C Trace Context (<https://www.w3.org/TR/trace-context-2/>): what came in, and what goes out.

mod traceparent;
mod tracestate;

use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayString;

use crate::CorrelationId;

pub(crate) use traceparent::Traceparent;

/// What the library does with the W3C headers `traceparent` and `tracestate`.
///
/// ```
/// use correlation_core::TraceContext;
///
/// assert_eq!("off".parse(), Ok(TraceContext::Off));
/// let error = "always".parse::<TraceContext>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown trace context mode, allowed: off, forward");
/// ```
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
}

impl FromStr for TraceContext {
    type Err = UnknownTraceContext;

    fn from_str(mode: &str) -> Result<Self, Self::Err> {
        match mode {
            "off" => Ok(Self::Off),
            "forward" => Ok(Self::Forward),
            _ => Err(UnknownTraceContext(())),
        }
    }
}

/// The text names no [`TraceContext`] mode.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownTraceContext(());

impl fmt::Display for UnknownTraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown trace context mode, allowed: off, forward")
    }
}

impl std::error::Error for UnknownTraceContext {}

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

/// A received trace context that goes out again as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) parent: Traceparent,
    state: Option<Box<str>>,
}

impl Trace {
    /// `state` gives the `tracestate` lines in their order; it is asked only now, since a
    /// `tracestate` without a valid `traceparent` must not even be parsed (section 3.3).
    pub(crate) fn new<'h>(parent: Traceparent, state: impl Iterator<Item = &'h [u8]>) -> Self {
        Self {
            parent,
            state: tracestate::combine(state),
        }
    }

    /// The headers to send.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let state = self.state.as_deref().map(|state| (TRACESTATE, state));
        [(TRACEPARENT, self.parent.as_str())]
            .into_iter()
            .chain(state)
    }
}

pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const TRACESTATE: &str = "tracestate";
