use std::net::IpAddr;

use super::rejected::{Rejected, Why};
use super::scan::{Found, Lines, Seen};
use super::{Caller, OnInvalid, OnMissing, Parser, Policy, TRACEPARENT};
use crate::error::Fault;
use crate::trace_context::{TRACESTATE, Trace, TraceContext, Traceparent};
use crate::{Context, CorrelationId, Source, context, events};

impl Policy {
    /// Decides on the context of an inbound request: the one place where that happens, for
    /// adapters and for servers of your own.
    ///
    /// `headers` gives all header lines, names in any case, values as they came, whenever it is
    /// called; `peer` is the address of the other end of the connection, if known. Run the request
    /// in the result with [`scope`](crate::scope), and put its ID in the response under
    /// [`response_header_name`](Policy::response_header_name).
    ///
    /// Inside of a [`scope`](crate::scope) that context goes on, whatever the headers say: so a
    /// middleware applied twice does no harm.
    ///
    /// ```
    /// use correlation_core::Policy;
    ///
    /// let headers = [("Host", "example.com"), ("X-Request-ID", "click-1")];
    /// let context = Policy::new().receive(|| headers.map(|(n, v)| (n, v.as_bytes())), None)?;
    /// assert_eq!(context.id(), &"click-1");
    /// assert_eq!(context.source().as_str(), "x-request-id");
    /// # Ok::<(), correlation_core::Rejected>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Only if the policy is set to reject: then answer 400, with the ID of
    /// [`Rejected::context`] in the response header.
    pub fn receive<'h, H>(
        &self,
        headers: impl Fn() -> H,
        peer: Option<IpAddr>,
    ) -> Result<Context, Rejected>
    where
        H: IntoIterator<Item = (&'h str, &'h [u8])>,
    {
        self.receive_line(headers, |value| value, peer, &mut None)
    }

    /// As [`receive`](Self::receive), and lends out the line that the ID was taken from.
    // Through `taken`, since what is returned beside a context moves it once more.
    #[inline]
    pub(crate) fn receive_line<'h, H, N, V>(
        &self,
        headers: impl Fn() -> H,
        bytes: fn(V) -> &'h [u8],
        peer: Option<IpAddr>,
        taken: &mut Option<V>,
    ) -> Result<Context, Rejected>
    where
        H: IntoIterator<Item = (N, V)>,
        N: AsRef<str>,
        V: Copy,
    {
        if let Some(context) = context::entered() {
            return Ok(context);
        }
        self.choose(headers, bytes, peer, taken)
    }

    /// The decision itself, whatever scope there is.
    #[inline]
    pub(super) fn choose<'h, H, N, V>(
        &self,
        headers: impl Fn() -> H,
        bytes: fn(V) -> &'h [u8],
        peer: Option<IpAddr>,
        taken: &mut Option<V>,
    ) -> Result<Context, Rejected>
    where
        H: IntoIterator<Item = (N, V)>,
        N: AsRef<str>,
        V: Copy,
    {
        let (mut found, mut lines) = (Found::new(), Lines::new_const());
        self.watched.scan(headers(), bytes, &mut found, &mut lines);
        // Who brings nothing need not be asked for.
        if found.is_empty() && self.on_missing == OnMissing::Generate {
            let mut context = self.fresh();
            self.open_span(&mut context);
            return Ok(context);
        }
        let line = |name: &str| {
            let mut lines = headers().into_iter();
            let line = lines.find(|(known, _)| known.as_ref().eq_ignore_ascii_case(name));
            line.map(|(_, line)| bytes(line))
        };
        let trace = |parent| {
            let lines = headers().into_iter();
            let state = lines.filter(|(name, _)| name.as_ref().eq_ignore_ascii_case(TRACESTATE));
            Trace::new(
                parent,
                self.trace_context,
                state.map(|(_, line)| bytes(line)),
            )
        };
        let caller = Caller {
            addr: peer,
            header: &line,
        };
        let mut decided = self.decide(&found, &caller, &trace);
        if let Ok(context) = &mut decided {
            self.open_span(context);
            if let Source::Header(name) = context.source() {
                *taken = found.position(name).and_then(|at| lines.get(at).copied());
            }
        }
        decided
    }

    #[cfg(feature = "tracing")]
    #[inline]
    fn open_span(&self, context: &mut Context) {
        if self.request_span {
            context.open_span();
        }
    }

    #[cfg(not(feature = "tracing"))]
    #[expect(clippy::unused_self, reason = "with `tracing` it is used")]
    const fn open_span(&self, _: &mut Context) {}

    #[inline]
    fn fresh(&self) -> Context {
        let id = self.generator.generate();
        let trace = self.started(&id, Source::Generated);
        Context::received(id, Source::Generated, None, trace)
    }

    /// The trace of a request that brings none, if this policy starts one.
    #[inline]
    fn started(&self, id: &CorrelationId, source: Source) -> Option<Trace> {
        let TraceContext::Participate(new) = self.trace_context else {
            return None;
        };
        let random = source == Source::Generated && self.generator.is_random();
        Some(Trace::start(id, random, new))
    }

    /// What is decided once the headers are known, whatever map they came in.
    fn decide(
        &self,
        found: &Found<'_>,
        caller: &Caller<'_>,
        trace: &dyn Fn(Traceparent) -> Trace,
    ) -> Result<Context, Rejected> {
        let traceparent = found.header(TRACEPARENT);
        let parent = match traceparent {
            Seen::One(value) => Traceparent::parse(value),
            Seen::Absent | Seen::Conflict => None,
        };
        let candidate = self.candidate(found, parent.as_ref());
        let trusted = (candidate.id.is_none() && parent.is_none()) || self.trust.covers(caller);
        let verdict = self.verdict(&candidate);

        let continued = parent
            .as_ref()
            .filter(|_| trusted && self.trace_context != TraceContext::Off)
            .map(|parent| trace(*parent));
        let taken = candidate.id.filter(|_| trusted && verdict.is_none());
        let (id, source) = match taken {
            Some((id, source)) => (CorrelationId::from_valid(id), source),
            None => (self.generator.generate(), Source::Generated),
        };
        let refused = candidate.id.filter(|_| !trusted);
        let upstream = refused.map(|(id, _)| CorrelationId::from_valid(id));
        let trace = continued.or_else(|| self.started(&id, source));
        let context = Context::received(id, source, upstream, trace);

        let bad_trace = parent.is_none() && !matches!(traceparent, Seen::Absent);
        if candidate.invalid || bad_trace {
            context::sync_scope(context.clone(), || self.report(found, bad_trace));
        }
        match verdict {
            None => Ok(context),
            Some(why) => Err(Rejected::new(context, why)),
        }
    }

    /// Asks the sources in their order, up to the first that has an ID.
    fn candidate<'a>(&self, found: &Found<'a>, parent: Option<&'a Traceparent>) -> Candidate<'a> {
        let mut candidate = Candidate {
            id: None,
            invalid: false,
        };
        let trace_id = |candidate: &mut Candidate<'a>| {
            if let Some(parent) = parent.filter(|_| self.trace_id_as_id) {
                let id = self.check(parent.trace_id_str().as_bytes()).ok();
                candidate.id = id.map(|id| (id, Source::Traceparent));
            }
        };
        for &name in &self.headers {
            if name == TRACEPARENT {
                trace_id(&mut candidate);
            } else {
                match found.header(name) {
                    Seen::Absent => {}
                    Seen::Conflict => candidate.invalid = true,
                    Seen::One(value) => match self.check(value) {
                        Ok(id) => candidate.id = Some((id, Source::Header(name))),
                        Err(_) => candidate.invalid = true,
                    },
                }
            }
            if candidate.id.is_some() {
                return candidate;
            }
        }
        trace_id(&mut candidate);
        if candidate.id.is_none() {
            candidate.id = self
                .parsers
                .iter()
                .find_map(|&parser| self.parse(parser, found));
        }
        candidate
    }

    fn parse<'a>(&self, parser: Parser, found: &Found<'a>) -> Option<(&'a str, Source)> {
        let lines = parser.headers().iter().map(|name| found.header(name));
        let value = lines
            .into_iter()
            .find(|seen| !matches!(seen, Seen::Absent))?;
        let Seen::One(value) = value else { return None };
        let id = self.check(parser.id(value)?).ok()?;
        Some((id, Source::Parser(parser)))
    }

    pub(super) fn check<'a>(&self, value: &'a [u8]) -> Result<&'a str, Fault> {
        let id = CorrelationId::validate(value, self.max_len)?;
        match &self.validator {
            Some(accepts) if !accepts(id) => Err(Fault::Refused),
            _ => Ok(id),
        }
    }

    fn verdict(&self, candidate: &Candidate<'_>) -> Option<Why> {
        if candidate.invalid && self.on_invalid == OnInvalid::Reject {
            return Some(Why::Invalid);
        }
        let missing = candidate.id.is_none() && self.on_missing == OnMissing::Reject;
        missing.then_some(Why::Missing)
    }

    /// Says which headers were ignored, and why.
    fn report(&self, found: &Found<'_>, bad_trace: bool) {
        let say = |name, seen| match seen {
            Seen::Absent => true,
            Seen::Conflict => {
                events::header_repeated(name);
                true
            }
            Seen::One(value) if name == TRACEPARENT => {
                events::header_ignored(name, value.len(), "not a valid traceparent");
                true
            }
            Seen::One(value) => match self.check(value) {
                Ok(_) => false,
                Err(fault) => {
                    events::header_ignored(name, value.len(), fault.reason());
                    true
                }
            },
        };
        if bad_trace {
            say(TRACEPARENT, found.header(TRACEPARENT));
        }
        // What comes after the header that was taken, was not looked at.
        let mut names = self.headers.iter().filter(|name| **name != TRACEPARENT);
        while names
            .next()
            .is_some_and(|name| say(name, found.header(name)))
        {}
    }
}

struct Candidate<'a> {
    /// As text: an ID is big enough that each move of it is felt.
    id: Option<(&'a str, Source)>,
    /// An ID header that was looked at holds something else.
    invalid: bool,
}
