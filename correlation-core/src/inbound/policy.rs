//! The settings of a policy.

use std::fmt;
use std::sync::Arc;

use super::scan::{MAX_SOURCES, WatchedNames};
use super::{Source, Trust};
use crate::diagnostics::{InvalidSetting, or_panic};
use crate::id::{CorrelationId, Generator};
use crate::names::{self, X_CORRELATION_ID, X_REQUEST_ID};
use crate::trace_context::TraceContext;

/// The rules for inbound requests and messages. Every adapter takes a policy and follows it in the
/// same way.
///
/// By default, a policy takes the first valid ID of these: `X-Correlation-ID`, `X-Request-ID`, and
/// the trace-id of a valid W3C `traceparent`. If there is none, it makes a UUIDv4. A value that is
/// not valid counts as absent, so a bad header never fails a request. The response carries the ID
/// in `X-Correlation-ID`.
///
/// # What counts as an ID
///
/// - An ID has 1 to 128 bytes ([`max_len`](Self::max_len)) of the alphabet of a [`CorrelationId`].
///   White space around it is removed first.
/// - `-`, `null`, `undefined`, `none`, `nil` and `unknown`, in any case, count as absent. So does
///   the nil UUID (RFC 9562, section 5.9), with or without hyphens. Clients without an ID send
///   these values. If they counted, the actions of strangers would get the same ID.
/// - A header that comes twice counts if both lines have the same value. A proxy may have joined
///   the lines with a comma (`a, a`: RFC 9110, section 5.3). Lines that differ are invalid, even if
///   one of them is a placeholder such as `null`. A repeated `traceparent` is never valid.
/// - For each header that is ignored by one of these rules, the log has a `DEBUG` event of the
///   target `correlation`. It gives the name of the header and the reason, and the length of a
///   single value.
///
/// ```
/// use correlation_core::{Generator, Policy, Trust};
///
/// let policy = Policy::new()
///     .headers(["X-Correlation-ID", "X-Request-ID", "X-Amz-Cf-Id"])
///     .trust(Trust::networks(["10.0.0.0/8", "::1"]))
///     .generator(Generator::uuid_v7());
/// ```
///
/// # Errors at start-up
///
/// A setter that takes a name or a number panics if the value is not allowed. The message gives the
/// reason and the line of your code. `Content-Length`, `Host` and other headers on which the
/// framing and the routing of HTTP depend are not allowed.
///
/// For text from a configuration file, use `str::parse`: [`Trust`], [`Source`] and [`Targets`] can
/// be parsed, and return an [`InvalidSetting`] instead of a panic. Every other setter panics. So
/// check a number before you pass it to [`max_len`](Self::max_len). To check the name of a header,
/// parse it as a [`Source`].
///
/// [`Targets`]: crate::Targets
#[derive(Clone)]
pub struct Policy {
    /// One source for each header, as made by [`Source::split`].
    pub(super) sources: Vec<Source>,
    pub(super) watched: WatchedNames,
    pub(super) trace_context: TraceContext,
    pub(super) trust: Trust,
    pub(super) generator: Generator,
    pub(super) max_len: usize,
    pub(super) validator: Option<Arc<Validator>>,
    pub(super) reject_missing: bool,
    pub(super) reject_invalid: bool,
    response_header: Option<&'static str>,
    expose_to_browsers: bool,
    rewrite_request: bool,
    pub(super) access_record: bool,
    #[cfg(feature = "tracing")]
    pub(super) request_span: bool,
}

pub(super) type Validator = dyn Fn(&str) -> bool + Send + Sync;

impl Policy {
    /// Makes a policy with the default rules.
    #[must_use]
    pub fn new() -> Self {
        let sources = vec![
            Source::header(X_CORRELATION_ID),
            Source::header(X_REQUEST_ID),
            Source::TRACEPARENT,
        ];
        Self {
            watched: WatchedNames::new(&sources),
            sources,
            trace_context: TraceContext::default(),
            trust: Trust::default(),
            generator: Generator::default(),
            max_len: DEFAULT_MAX_LEN,
            validator: None,
            reject_missing: false,
            reject_invalid: false,
            response_header: Some(X_CORRELATION_ID),
            expose_to_browsers: false,
            rewrite_request: false,
            access_record: false,
            #[cfg(feature = "tracing")]
            request_span: false,
        }
    }

    /// Sets the headers that may hold an ID, at most 8. The first one with a valid ID wins. The
    /// case of the names does not matter.
    ///
    /// This is a shortcut for [`sources`](Self::sources) that replaces only the plain ID headers.
    /// Sources in other formats, such as the trace-id of a `traceparent`, keep their order behind
    /// these headers. The name `traceparent` stands for [`Source::TRACEPARENT`] and moves it to
    /// this position.
    ///
    /// # Panics
    ///
    /// If a name is not a header name or is `tracestate`, or there are more than 8 names.
    #[track_caller]
    #[must_use]
    pub fn headers<N: AsRef<str>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let mut sources = Vec::new();
        for (at, name) in names.into_iter().enumerate() {
            if at == MAX_HEADERS {
                let reason = "at most 8 names are allowed";
                panic!("{}", InvalidSetting::new("headers", reason));
            }
            let source = Source::read(name.as_ref())
                .map_err(|reason| InvalidSetting::new("headers", reason).at(at));
            sources.push(or_panic(source));
        }
        let others = self.sources.iter().filter(|source| !source.is_plain());
        sources.extend(others.cloned());
        self.sources(sources)
    }

    /// Sets the sources of an ID, in this order. The first one with a valid ID wins. The sources
    /// may read at most 14 headers, and [`Source::B3`] reads two.
    ///
    /// The default is `X-Correlation-ID`, `X-Request-ID` and [`Source::TRACEPARENT`]. Without the
    /// last one, a trace-id does not become the ID. What happens to the trace itself depends on
    /// [`trace_context`](Self::trace_context) only.
    ///
    /// ```
    /// use correlation_core::{Policy, Source};
    ///
    /// let policy = Policy::new().sources([
    ///     Source::header("X-Correlation-ID"),
    ///     Source::TRACEPARENT,
    ///     Source::B3,
    ///     Source::parsed("sentry-trace", |value| value.split('-').next()),
    /// ]);
    /// ```
    ///
    /// # Panics
    ///
    /// If the sources read more than 14 headers.
    #[track_caller]
    #[must_use]
    pub fn sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.sources.clear();
        for source in sources.into_iter().flat_map(Source::split) {
            if self.sources.iter().any(|known| known.is_same(&source)) {
                continue;
            }
            if self.sources.len() == MAX_SOURCES {
                let reason = "at most 14 headers are allowed";
                panic!("{}", InvalidSetting::new("sources", reason));
            }
            self.sources.push(source);
        }
        self.watched = WatchedNames::new(&self.sources);
        self
    }

    /// Sets what happens to `traceparent` and `tracestate`. The default is
    /// [`TraceContext::Forward`].
    #[must_use]
    pub const fn trace_context(mut self, mode: TraceContext) -> Self {
        self.trace_context = mode;
        self
    }

    /// Sets the callers whose IDs the policy accepts. The default is [`Trust::always`].
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Sets how new IDs are made. The default is [`Generator::uuid_v4`].
    #[must_use]
    pub fn generator(mut self, generator: Generator) -> Self {
        self.generator = generator;
        self
    }

    /// Sets the maximum length of an ID from a caller in bytes: 1 to 255. The default is 128.
    ///
    /// # Panics
    ///
    /// If the number is not in 1 to 255.
    #[track_caller]
    #[must_use]
    pub fn max_len(mut self, bytes: usize) -> Self {
        if !(1..=CorrelationId::MAX_LEN).contains(&bytes) {
            let reason = format!("{bytes} bytes are out of range: allowed are 1 to 255");
            panic!("{}", InvalidSetting::new("max_len", reason));
        }
        self.max_len = bytes;
        self
    }

    /// Adds a check on IDs from callers: an ID is valid only if `check` returns `true`.
    ///
    /// The check runs once for each value, before the request or message has an ID. A value at which
    /// it panics is not valid, and the first panic is logged at `WARN`. The check runs on the
    /// server's own thread, so a check that blocks delays the other requests on that thread.
    ///
    /// ```
    /// use correlation_core::Policy;
    ///
    /// let policy = Policy::new().validator(|id| id.starts_with("shop-"));
    /// assert!(policy.accepts(b"shop-42"));
    /// assert!(!policy.accepts(b"click-1"));
    /// ```
    #[must_use]
    pub fn validator(mut self, check: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.validator = Some(Arc::new(check));
        self
    }

    /// Answers 400 to a request without a usable ID. Off by default: such a request gets a new ID.
    /// The 400 response also has a new ID in its header.
    #[must_use]
    pub const fn reject_missing(mut self, on: bool) -> Self {
        self.reject_missing = on;
        self
    }

    /// Answers 400 to a request with an invalid ID header that is a [`Source::header`]. Headers
    /// behind the first one with a valid ID are not read.
    ///
    /// Off by default: the header counts as absent, and the next source is read. The library never
    /// repairs or cuts a value. All other [`sources`](Self::sources) are always ignored if they are
    /// invalid.
    #[must_use]
    pub const fn reject_invalid(mut self, on: bool) -> Self {
        self.reject_invalid = on;
        self
    }

    /// Sets the response header that carries the ID. The default is `X-Correlation-ID`.
    ///
    /// # Panics
    ///
    /// If the name is not a header name, or is one of W3C Trace Context.
    #[track_caller]
    #[must_use]
    pub fn response_header(mut self, name: impl AsRef<str>) -> Self {
        let name = names::id_header_name(name.as_ref())
            .map_err(|reason| InvalidSetting::new("response_header", reason));
        self.response_header = Some(or_panic(name));
        self
    }

    /// Sends no response header with the ID.
    #[must_use]
    pub const fn without_response_header(mut self) -> Self {
        self.response_header = None;
        self
    }

    /// Lets scripts of other origins read the response header. The library adds its name to
    /// `Access-Control-Expose-Headers`. Off by default.
    #[must_use]
    pub const fn expose_to_browsers(mut self, on: bool) -> Self {
        self.expose_to_browsers = on;
        self
    }

    /// Writes the final ID to the request, so that code which reads the request header sees it.
    ///
    /// The library writes it to the first of the [`sources`](Self::sources) whose whole value is
    /// the ID. Off by default: the handler sees the headers as the caller sent them.
    #[must_use]
    pub const fn rewrite_request(mut self, on: bool) -> Self {
        self.rewrite_request = on;
        self
    }

    /// Opens a `tracing` span `request` with the field `correlation_id` around every request. Off
    /// by default: log lines have the ID without a span.
    ///
    /// Tools that read spans need it: journald, Loki's layer and `tracing-error`. So does a filter
    /// for one request, `RUST_LOG='info,[{correlation_id=abc}]=trace'` (the ID without quotes).
    /// This filter shows all records of that request, and `info` of all others. It needs an
    /// `EnvFilter`; `tracing::init()` has one with the feature `env-filter`. A filter that switches
    /// off spans of the target `correlation` also switches off this span.
    ///
    /// Do not use it with `tracing-opentelemetry`, unless the server span of that crate is the
    /// outermost span. Otherwise this span would begin a second trace beside the inbound one.
    ///
    /// What runs inside the request stays in its span, also work that has another ID or none: a
    /// nested [`scope`](crate::scope), a message in [`continue_from`](crate::continue_from), and
    /// [`detached`](crate::detached). Spawn such work with the spawn function of your runtime, and
    /// no span goes along.
    ///
    /// Scopes enter the span. Rocket and warp's `correlated` have no scopes, so nothing enters it
    /// there.
    #[cfg(feature = "tracing")]
    #[must_use]
    pub const fn request_span(mut self, on: bool) -> Self {
        self.request_span = on;
        self
    }

    /// Writes one log record for each request when it has ended. Off by default.
    ///
    /// The record has the target `access` and the message `request`, and is the same in every
    /// adapter. Its level is `INFO`, or `WARN` if the status is 500 or above or the request
    /// panicked or failed. It has these fields, as far as they are known:
    ///
    /// | field | meaning |
    /// |---|---|
    /// | `method`, `path` | the method, and the path without its query: at most 1,024 bytes each |
    /// | `route` | the matched route, such as `/orders/{id}`: in axum, actix-web and Rocket |
    /// | `status` | the status of the response |
    /// | `bytes` | the number of bytes of the response body that were sent |
    /// | `latency_ms` | the time from the request to the last byte of the body, in milliseconds |
    /// | `peer` | the IP address of the other end of the connection |
    /// | `outcome` | `completed`, `client_gone`, `panicked`, or `failed`: there was an error in the place of a response, or of the rest of its body |
    /// | `untrusted_id` | the ID of a caller that is not [trusted](Self::trust) |
    /// | `untrusted_len` | its length instead, if a search for another ID could find the ID |
    #[must_use]
    pub const fn access_record(mut self, on: bool) -> Self {
        self.access_record = on;
        self
    }
}

/// The questions that adapters ask a policy.
impl Policy {
    pub(crate) const fn response_header_name(&self) -> Option<&'static str> {
        self.response_header
    }

    /// Returns the response header that scripts of other origins may read, if any.
    pub(crate) fn exposed_header_name(&self) -> Option<&'static str> {
        self.response_header.filter(|_| self.expose_to_browsers)
    }

    pub(crate) fn request_header_name(&self) -> Option<&'static str> {
        self.rewrite_request.then(|| {
            let first = self.sources.iter().find(|source| source.is_plain());
            first.map_or(X_CORRELATION_ID, |source| source.name)
        })
    }

    pub(crate) const fn wants_peer(&self) -> bool {
        self.access_record || self.trust.depends()
    }

    pub(crate) const fn wants_access_record(&self) -> bool {
        self.access_record
    }

    pub(crate) const fn rejects(&self) -> bool {
        self.reject_missing || self.reject_invalid
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
            .field("sources", &self.sources)
            .field("trace_context", &self.trace_context)
            .field("trust", &self.trust)
            .field("generator", &self.generator)
            .field("max_len", &self.max_len)
            .field("validator", &self.validator.is_some())
            .field("reject_missing", &self.reject_missing)
            .field("reject_invalid", &self.reject_invalid)
            .field("response_header", &self.response_header)
            .field("expose_to_browsers", &self.expose_to_browsers)
            .field("rewrite_request", &self.rewrite_request)
            .field("access_record", &self.access_record)
            .finish_non_exhaustive()
    }
}

const DEFAULT_MAX_LEN: usize = 128;
const MAX_HEADERS: usize = 8;
