//! The rules by which an inbound request gets its ID.

mod adapters;
mod error;
mod message;
mod parser;
mod receive;
mod rejected;
mod scan;
mod trust;

use std::fmt;
use std::sync::Arc;

pub use error::InvalidPolicy;
#[cfg(test)]
pub(crate) use message::SPELLINGS;
pub use parser::Parser;
pub use rejected::{OnInvalid, OnMissing, Rejected};
pub use trust::{Caller, Predicate, Trust};

use crate::trace_context::{TRACEPARENT, TraceContext};
use crate::{CorrelationId, Generator, header};

/// The rules for inbound requests and messages: every adapter takes one, and all obey it alike.
///
/// The default: a valid ID is taken from `X-Correlation-ID`, else from `X-Request-ID`, else it is
/// the trace-id of a valid W3C `traceparent`, else a new UUIDv4. Whatever is not valid counts as
/// absent; a bad header never fails a request. The response carries the ID in `X-Correlation-ID`.
///
/// ```
/// use correlation_core::{Generator, Policy, Trust};
///
/// let policy = Policy::new()
///     .headers(["X-Correlation-ID", "X-Request-ID", "X-Amz-Cf-Id"])
///     .trust(Trust::when(|caller| caller.addr().is_some_and(|addr| addr.is_loopback())))
///     .generator(Generator::uuid_v7());
/// ```
///
/// # Errors at start-up
///
/// Setters that take a name or a number panic when it is out of range, with the reason and the
/// caller's line: such a mistake is in the program. For values from a configuration file each of
/// them has a `try_` twin that returns an [`InvalidPolicy`] instead.
#[derive(Clone)]
pub struct Policy {
    headers: Vec<&'static str>,
    parsers: Vec<Parser>,
    watched: scan::Watched,
    trace_id_as_id: bool,
    trace_context: TraceContext,
    trust: Trust,
    generator: Generator,
    max_len: usize,
    validator: Option<Arc<Validator>>,
    on_missing: OnMissing,
    on_invalid: OnInvalid,
    response_header: Option<&'static str>,
    expose_to_browsers: bool,
    rewrite_request: bool,
    pub(crate) access_record: bool,
    #[cfg(feature = "tracing")]
    request_span: bool,
}

type Validator = dyn Fn(&str) -> bool + Send + Sync;

impl Policy {
    /// The default rules.
    #[must_use]
    pub fn new() -> Self {
        let headers = vec![X_CORRELATION_ID, X_REQUEST_ID];
        Self {
            watched: scan::Watched::new(&headers, &[]),
            headers,
            parsers: Vec::new(),
            trace_id_as_id: true,
            trace_context: TraceContext::default(),
            trust: Trust::default(),
            generator: Generator::default(),
            max_len: DEFAULT_MAX_LEN,
            validator: None,
            on_missing: OnMissing::default(),
            on_invalid: OnInvalid::default(),
            response_header: Some(X_CORRELATION_ID),
            expose_to_browsers: false,
            rewrite_request: false,
            access_record: false,
            #[cfg(feature = "tracing")]
            request_span: false,
        }
    }

    /// The headers that may hold an ID, the first that does wins. Case does not matter. At most
    /// 8 names.
    ///
    /// `traceparent` as a name stands for its trace-id and moves that source from its place
    /// behind the last header to this one.
    ///
    /// # Panics
    ///
    /// If a name is no header name, or there are more than 8.
    #[track_caller]
    #[must_use]
    pub fn headers<N: AsRef<str>>(self, names: impl IntoIterator<Item = N>) -> Self {
        or_panic(self.try_headers(names))
    }

    /// As [`headers`](Self::headers).
    ///
    /// # Errors
    ///
    /// If a name is no header name, or there are more than 8.
    pub fn try_headers<N: AsRef<str>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, InvalidPolicy> {
        self.headers = names
            .into_iter()
            .map(|name| header_name("headers", name.as_ref()))
            .collect::<Result<_, _>>()?;
        if self.headers.len() > MAX_HEADERS {
            return Err(InvalidPolicy::new("headers", "at most 8 names are allowed"));
        }
        Ok(self.watch())
    }

    /// Further formats to take an ID from, after all other sources, in this order. None by
    /// default.
    #[must_use]
    pub fn parsers(mut self, parsers: impl IntoIterator<Item = Parser>) -> Self {
        self.parsers.clear();
        for parser in parsers {
            if !self.parsers.contains(&parser) {
                self.parsers.push(parser);
            }
        }
        self.watch()
    }

    /// Whether the trace-id of a valid `traceparent` becomes the ID when no header has one. On by
    /// default.
    #[must_use]
    pub const fn trace_id_as_id(mut self, on: bool) -> Self {
        self.trace_id_as_id = on;
        self
    }

    /// What happens to `traceparent` and `tracestate`. [`TraceContext::Forward`] by default.
    #[must_use]
    pub const fn trace_context(mut self, mode: TraceContext) -> Self {
        self.trace_context = mode;
        self
    }

    /// Whose IDs are taken over. [`Trust::Always`] by default.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// How new IDs are made. [`Generator::uuid_v4`] by default.
    #[must_use]
    pub fn generator(mut self, generator: Generator) -> Self {
        self.generator = generator;
        self
    }

    /// The most bytes an ID from a caller may have: 128 by default, 1 to 255.
    ///
    /// # Panics
    ///
    /// If the number is out of that range.
    #[track_caller]
    #[must_use]
    pub fn max_len(self, bytes: usize) -> Self {
        or_panic(self.try_max_len(bytes))
    }

    /// As [`max_len`](Self::max_len).
    ///
    /// # Errors
    ///
    /// If the number is not in 1 to 255.
    pub fn try_max_len(mut self, bytes: usize) -> Result<Self, InvalidPolicy> {
        if !(1..=CorrelationId::MAX_LEN).contains(&bytes) {
            return Err(InvalidPolicy::new(
                "max_len",
                "the length must be 1 to 255 bytes",
            ));
        }
        self.max_len = bytes;
        Ok(self)
    }

    /// One more check on IDs from callers: they are valid only if it says `true`.
    #[must_use]
    pub fn validator(mut self, check: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.validator = Some(Arc::new(check));
        self
    }

    /// What to do without an ID. [`OnMissing::Generate`] by default.
    #[must_use]
    pub const fn on_missing(mut self, then: OnMissing) -> Self {
        self.on_missing = then;
        self
    }

    /// What to do with an invalid ID header. [`OnInvalid::Ignore`] by default. `traceparent` and
    /// the headers of [`parsers`](Self::parsers) are always ignored when invalid.
    #[must_use]
    pub const fn on_invalid(mut self, then: OnInvalid) -> Self {
        self.on_invalid = then;
        self
    }

    /// The response header that carries the ID. `X-Correlation-ID` by default.
    ///
    /// # Panics
    ///
    /// If the name is no header name.
    #[track_caller]
    #[must_use]
    pub fn response_header(self, name: impl AsRef<str>) -> Self {
        or_panic(self.try_response_header(name))
    }

    /// As [`response_header`](Self::response_header).
    ///
    /// # Errors
    ///
    /// If the name is no header name.
    pub fn try_response_header(mut self, name: impl AsRef<str>) -> Result<Self, InvalidPolicy> {
        self.response_header = Some(header_name("response_header", name.as_ref())?);
        Ok(self)
    }

    /// Leaves responses as they are.
    #[must_use]
    pub const fn without_response_header(mut self) -> Self {
        self.response_header = None;
        self
    }

    /// Lets scripts of other origins read the response header, by merging its name into
    /// `Access-Control-Expose-Headers`. Off by default.
    #[must_use]
    pub const fn expose_to_browsers(mut self, on: bool) -> Self {
        self.expose_to_browsers = on;
        self
    }

    /// Sets the final ID in the first of the [`headers`](Self::headers) of the request, so that
    /// code which reads that header sees it. Off by default: the handler sees what was sent.
    #[must_use]
    pub const fn rewrite_request(mut self, on: bool) -> Self {
        self.rewrite_request = on;
        self
    }

    /// Opens a `tracing` span `request` with the field `correlation_id` around every request. Off
    /// by default: log lines have the ID without it.
    ///
    /// It serves what looks at spans: journald, Loki's layer, `tracing-error`, and a filter for
    /// one single request, `RUST_LOG='info,[{correlation_id=abc}]=trace'` (the ID without quotes),
    /// which shows all of that request and `info` of all others. A filter that switches spans of
    /// the target `correlation` off switches this one off.
    ///
    /// Not together with `tracing-opentelemetry`, unless its own server span is outermost: this
    /// span would begin a trace beside the one that came in.
    ///
    /// Scopes enter it. Where there are none, in Rocket and in warp's `correlated`, it is not
    /// entered.
    #[cfg(feature = "tracing")]
    #[must_use]
    pub const fn request_span(mut self, on: bool) -> Self {
        self.request_span = on;
        self
    }

    fn watch(mut self) -> Self {
        self.watched = scan::Watched::new(&self.headers, &self.parsers);
        self
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("headers", &self.headers)
            .field("parsers", &self.parsers)
            .field("trace_id_as_id", &self.trace_id_as_id)
            .field("trace_context", &self.trace_context)
            .field("trust", &self.trust)
            .field("generator", &self.generator)
            .field("max_len", &self.max_len)
            .field("validator", &self.validator.is_some())
            .field("on_missing", &self.on_missing)
            .field("on_invalid", &self.on_invalid)
            .field("response_header", &self.response_header)
            .field("expose_to_browsers", &self.expose_to_browsers)
            .field("rewrite_request", &self.rewrite_request)
            .field("access_record", &self.access_record)
            .finish_non_exhaustive()
    }
}

fn header_name(setting: &'static str, name: &str) -> Result<&'static str, InvalidPolicy> {
    header::name(name).map_err(|reason| InvalidPolicy::new(setting, reason))
}

#[track_caller]
fn or_panic(policy: Result<Policy, InvalidPolicy>) -> Policy {
    match policy {
        Ok(policy) => policy,
        Err(error) => panic!("{error}"),
    }
}

pub(crate) const X_CORRELATION_ID: &str = "x-correlation-id";
pub(crate) const X_REQUEST_ID: &str = "x-request-id";
pub(crate) const DEFAULT_MAX_LEN: usize = 128;
const MAX_HEADERS: usize = 8;

#[cfg(test)]
mod tests;
