//! The settings.

use std::fmt;
use std::sync::Arc;

use super::scan::{MAX_SOURCES, WatchedNames};
use super::{Source, Trust};
use crate::diagnostics::{InvalidSetting, or_panic};
use crate::id::{CorrelationId, Generator};
use crate::names::{self, X_CORRELATION_ID, X_REQUEST_ID};
use crate::trace_context::TraceContext;

/// The rules for inbound requests and messages: every adapter takes one, and all obey it alike.
///
/// The default: a valid ID is taken from `X-Correlation-ID`, else from `X-Request-ID`, else it is
/// the trace-id of a valid W3C `traceparent`, else a new UUIDv4. Whatever is not valid counts as
/// absent; a bad header never fails a request. The response carries the ID in `X-Correlation-ID`.
///
/// # What counts as an ID
///
/// - 1 to 128 bytes ([`max_len`](Self::max_len)) of the alphabet of a [`CorrelationId`], after
///   white space around it is taken off.
/// - `-`, `null`, `undefined`, `none`, `nil` and `unknown`, in any case, and the nil UUID (RFC
///   9562, section 5.9; with or without hyphens) count as absent. Clients send them that have no
///   ID, and strangers would share one story.
/// - A header that comes twice counts if both lines say the same, also where a proxy has joined
///   them by a comma (`a, a`: RFC 9110, section 5.3). Lines that differ are invalid, also if one
///   of them is a placeholder. A repeated `traceparent` is never valid.
/// - Each header that is ignored for one of these rules has a `DEBUG` event of the target
///   `correlation`, with its name, its length and the reason.
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
/// Setters that take a name or a number panic when it is out of range, with the reason and the
/// caller's line: such a mistake is in the program. For values from a configuration file each of
/// them has a `try_` twin that returns an [`InvalidSetting`] instead.
#[derive(Clone)]
pub struct Policy {
    /// One for each header: [`Source::split`].
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
    /// The default rules.
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

    /// The headers that may hold an ID; the first that does wins. Case does not matter. At most 8
    /// names.
    ///
    /// The shortcut for [`sources`](Self::sources) that changes only the ID headers: the trace-id
    /// of a `traceparent` and other formats keep their places behind them, if they are sources.
    /// `traceparent` as a name stands for [`Source::TRACEPARENT`] and moves it to this place.
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
        self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, InvalidSetting> {
        let mut sources = Vec::new();
        for (at, name) in names.into_iter().enumerate() {
            if at == MAX_HEADERS {
                return Err(InvalidSetting::new(
                    "headers",
                    "at most 8 names are allowed",
                ));
            }
            let name = header_name("headers", name.as_ref()).map_err(|error| error.at(at))?;
            sources.push(Source::try_header(name)?);
        }
        let others = self.sources.iter().filter(|source| !source.is_plain());
        sources.extend(others.cloned());
        self.try_sources(sources)
    }

    /// Where to look for an ID, in this order; the first valid one wins. At most 14 headers, of
    /// which [`Source::B3`] reads two.
    ///
    /// The default is `X-Correlation-ID`, `X-Request-ID` and [`Source::TRACEPARENT`]. In a list
    /// without the last, the trace-id does not become the ID; what happens to the trace itself is
    /// up to [`trace_context`](Self::trace_context) all the same.
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
    /// If there are more than 14.
    #[track_caller]
    #[must_use]
    pub fn sources(self, sources: impl IntoIterator<Item = Source>) -> Self {
        or_panic(self.try_sources(sources))
    }

    /// As [`sources`](Self::sources).
    ///
    /// # Errors
    ///
    /// If there are more than 14.
    pub fn try_sources(
        mut self,
        sources: impl IntoIterator<Item = Source>,
    ) -> Result<Self, InvalidSetting> {
        self.sources.clear();
        for source in sources.into_iter().flat_map(Source::split) {
            if self.sources.iter().any(|known| known.is_same(&source)) {
                continue;
            }
            if self.sources.len() == MAX_SOURCES {
                let reason = "at most 14 headers are allowed";
                return Err(InvalidSetting::new("sources", reason));
            }
            self.sources.push(source);
        }
        self.watched = WatchedNames::new(&self.sources);
        Ok(self)
    }

    /// What happens to `traceparent` and `tracestate`. [`TraceContext::Forward`] by default.
    #[must_use]
    pub const fn trace_context(mut self, mode: TraceContext) -> Self {
        self.trace_context = mode;
        self
    }

    /// Whose IDs are taken over. [`Trust::always`] by default.
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
    pub fn try_max_len(mut self, bytes: usize) -> Result<Self, InvalidSetting> {
        if !(1..=CorrelationId::MAX_LEN).contains(&bytes) {
            return Err(InvalidSetting::new(
                "max_len",
                "the length must be 1 to 255 bytes",
            ));
        }
        self.max_len = bytes;
        Ok(self)
    }

    /// One more check on IDs from callers: they are valid only if it says `true`.
    ///
    /// It runs before the request has an ID, once for each value. A value at which it panics is not
    /// valid, and the first time a warning is logged. It runs on the thread of the server, so one
    /// that blocks holds up the requests of that thread.
    #[must_use]
    pub fn validator(mut self, check: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.validator = Some(Arc::new(check));
        self
    }

    /// Answers 400 to a request that brings no ID that can be used. Off by default: it gets a new
    /// one. The response has a new ID in its header all the same.
    #[must_use]
    pub const fn reject_missing(mut self, on: bool) -> Self {
        self.reject_missing = on;
        self
    }

    /// Answers 400 to a request with an invalid ID header, one of [`Source::header`]. Off by
    /// default: the header counts as absent, and the next source has its turn. It is never
    /// repaired or cut. All other [`sources`](Self::sources) are always ignored when invalid.
    #[must_use]
    pub const fn reject_invalid(mut self, on: bool) -> Self {
        self.reject_invalid = on;
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
    pub fn try_response_header(mut self, name: impl AsRef<str>) -> Result<Self, InvalidSetting> {
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

    /// Sets the final ID in the request, in the first header of the [`sources`](Self::sources)
    /// whose whole value is the ID, so that code which reads that header sees it. Off by default:
    /// the handler sees what was sent.
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
    /// which shows all of that request and `info` of all others. Such a filter needs an
    /// `EnvFilter`; `tracing::init()` has one with the feature `env-filter`. A filter that
    /// switches spans of the target `correlation` off switches this one off.
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

    /// Writes one log record for each request, when it has ended. Off by default.
    ///
    /// It is a record of the target `access`, alike in every adapter, at the level `INFO`, and at
    /// `WARN` if the status is 500 or above or the request panicked. Its message is `request`, its
    /// fields are these, as far as they are known:
    ///
    /// | field | meaning |
    /// |---|---|
    /// | `method`, `path` | of the request, at most 1,024 bytes each; the path without its query |
    /// | `route` | what the request matched, `/orders/{id}`: in axum, actix-web and Rocket |
    /// | `status` | of the response |
    /// | `bytes` | of the response body that were sent |
    /// | `latency_ms` | milliseconds from the request to the last byte of the body |
    /// | `peer` | the IP address of the other end of the connection |
    /// | `outcome` | `completed`, `client_gone` or `panicked` |
    /// | `untrusted_id` | the ID of a caller that is not [trusted](Self::trust) |
    /// | `untrusted_len` | its length instead, if a search for another ID could find it |
    #[must_use]
    pub const fn access_record(mut self, on: bool) -> Self {
        self.access_record = on;
        self
    }
}

/// What adapters ask of it.
impl Policy {
    pub(crate) const fn response_header_name(&self) -> Option<&'static str> {
        self.response_header
    }

    /// The response header that browsers are to be told of, if any.
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

fn header_name(setting: &'static str, name: &str) -> Result<&'static str, InvalidSetting> {
    names::header_name(name).map_err(|reason| InvalidSetting::new(setting, reason))
}

const DEFAULT_MAX_LEN: usize = 128;
const MAX_HEADERS: usize = 8;
