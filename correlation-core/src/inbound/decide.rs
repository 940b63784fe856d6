//! The decision about a request: its ID, and whether its trace continues.

use arrayvec::ArrayVec;

use super::decision::{Decision, RejectReason, Rejected};
use super::scan::{FirstLines, HeaderLines, MAX_WATCHED, Occurrence, joined};
use super::source::Format;
use super::trust::LinesByName;
use super::{Peer, Policy};
use crate::context::{self, Context, Origin};
use crate::diagnostics;
use crate::foreign::Closure;
use crate::id::{CorrelationId, Fault, is_placeholder};
use crate::names::{TRACEPARENT, TRACESTATE, trim};
use crate::trace_context::{Trace, TraceContext, Traceparent};

impl Policy {
    /// Decides on the context of an inbound request. Adapters and custom servers call this method,
    /// and nothing else decides.
    ///
    /// `headers` returns all header lines each time it is called. Names may have any case, and
    /// values are text or bytes as they came. A reference to a header map of `http` fits: `||
    /// &headers`. `peer` is the address of the other end of the connection, or another [`Peer`].
    /// `None` says that the server does not know it.
    ///
    /// Run the request in the [context](Decision::context) with [`scope`](crate::scope), and write
    /// its ID to the response header. If the decision is [rejected](Decision::rejected), answer 400
    /// instead.
    ///
    /// For an untrusted ID, the log has an `INFO` event of the target `correlation`, in the context
    /// of the request. If the policy writes an [access record](Self::access_record), the record has
    /// the ID instead.
    ///
    /// Inside a [`scope`](crate::scope), the context of that scope continues, whatever the headers
    /// say. So a middleware that is applied twice does no harm.
    ///
    /// ```
    /// use correlation_core::{Origin, Policy};
    ///
    /// let headers = [("Host", "example.com"), ("X-Request-ID", "click-1")];
    /// let decision = Policy::new().receive(|| headers, None);
    /// assert_eq!(decision.context().id(), &"click-1");
    /// assert_eq!(decision.context().origin(), Origin::Header("x-request-id"));
    /// assert_eq!(decision.rejected(), None);
    /// ```
    #[inline]
    pub fn receive<'h, H, N, V>(&self, headers: impl Fn() -> H, peer: impl Into<Peer>) -> Decision
    where
        H: IntoIterator<Item = (N, &'h V)>,
        N: AsRef<str>,
        V: AsRef<[u8]> + ?Sized + 'h,
    {
        self.receive_line(headers, peer.into()).0
    }

    /// Decides as [`receive`](Self::receive) does. It also returns the header line whose whole
    /// value is the ID, if there is one.
    #[inline]
    pub(crate) fn receive_line<'h, H, N, V>(
        &self,
        headers: impl Fn() -> H,
        peer: Peer,
    ) -> (Decision, Option<&'h V>)
    where
        H: IntoIterator<Item = (N, &'h V)>,
        N: AsRef<str>,
        V: AsRef<[u8]> + ?Sized + 'h,
    {
        match context::scoped_context() {
            Some(context) => (Decision::new(context, None), None),
            None => self.decide(headers, Some(peer)),
        }
    }

    /// Decides without looking at the current scope. `peer` is `None` for a message, which is never
    /// rejected.
    #[inline]
    pub(super) fn decide<'h, H, N, V>(
        &self,
        headers: impl Fn() -> H,
        peer: Option<Peer>,
    ) -> (Decision, Option<&'h V>)
    where
        H: IntoIterator<Item = (N, &'h V)>,
        N: AsRef<str>,
        V: AsRef<[u8]> + ?Sized + 'h,
    {
        let (mut found, mut lines) = (HeaderLines::new(), FirstLines::new_const());
        self.watched.scan(headers(), &mut found, &mut lines);
        // Without an ID and a trace, trust does not matter.
        if found.is_empty() && !self.reject_missing {
            return (
                self.accept(self.generator.generate(), Origin::Generated),
                None,
            );
        }
        // Most callers send one header, with an ID that is accepted.
        if let Some((name, id)) = self.only_id(&found) {
            let decision = self.accept(CorrelationId::from_valid(id), Origin::Header(name));
            return (decision, lines.first().copied());
        }
        let by_name: &LinesByName<'_> = &|name, show| show_lines(headers(), name, show);
        let (decision, line) = self.weigh(&found, peer, by_name);
        (decision, line.and_then(|at: usize| lines.get(at).copied()))
    }

    /// Returns the ID, if nothing else came in and no closure has to check it.
    #[inline]
    fn only_id<'h>(&self, found: &HeaderLines<'h>) -> Option<(&'static str, &'h str)> {
        let (name, value) = found.only()?;
        let mut sources = self.sources.iter();
        let source = sources.find(|source| std::ptr::eq(source.name, name))?;
        if !source.is_plain() || self.validator.is_some() || !self.trust.is_always() {
            return None;
        }
        Some((name, self.check(value).ok()?))
    }

    /// Accepts a request with this ID and nothing else.
    #[inline]
    fn accept(&self, id: CorrelationId, origin: Origin) -> Decision {
        let mut context = Context::received(id, origin);
        self.add_trace(&mut context, None);
        self.open_span(&mut context);
        Decision::new(context, None)
    }

    /// Adds the trace: either the inbound one, or one that starts here.
    #[inline]
    fn add_trace(&self, context: &mut Context, continued: Option<Trace>) {
        let started = || match self.trace_context {
            TraceContext::Participate { sampled } => {
                let is_random = context.origin() == Origin::Generated && self.generator.is_random();
                Some(Trace::start(context.id(), is_random, sampled))
            }
            TraceContext::Off | TraceContext::Forward => None,
        };
        if let Some(trace) = continued.or_else(started) {
            context.set_trace(trace);
        }
    }

    #[cfg_attr(
        not(feature = "tracing"),
        expect(unused_variables, clippy::unused_self)
    )]
    #[inline]
    fn open_span(&self, context: &mut Context) {
        #[cfg(feature = "tracing")]
        if self.request_span {
            context.open_span();
        }
    }

    /// Makes the trace of an inbound `traceparent`.
    fn continued<'a>(&self, parent: Traceparent, lines: &LinesByName<'a>) -> Trace {
        let mut state = Vec::new();
        lines(TRACESTATE, &mut |line| state.push(line));
        Trace::new(parent, self.trace_context, state.into_iter())
    }

    /// Decides on the headers that were found, for any type of header map. It also returns the
    /// position of the header whose whole value is the ID.
    fn weigh<'a>(
        &'a self,
        found: &HeaderLines<'_>,
        peer: Option<Peer>,
        lines: &'a LinesByName<'a>,
    ) -> (Decision, Option<usize>) {
        let traceparent = found.header(TRACEPARENT);
        let parent = match traceparent {
            Some(Occurrence::One(value)) => Traceparent::parse(value),
            Some(Occurrence::Conflict) | None => None,
        };
        let mut ignored = Ignored::new_const();
        if parent.is_none()
            && let Some(occurrence) = traceparent
        {
            ignored.push(IgnoredHeader {
                name: TRACEPARENT,
                occurrence,
                reason: "not a valid traceparent",
                rejects: false,
            });
        }
        let candidate = self.candidate(found, parent.as_ref(), &mut ignored);
        let nothing = candidate.id.is_none() && traceparent.is_none();
        let trusted = nothing || self.trust.covers(peer.unwrap_or(Peer::Local), lines);
        let invalid = ignored.iter().any(|header| header.rejects);
        let rejected = self.rejected(invalid, candidate.id.is_none());
        let rejected = rejected.filter(|_| peer.is_some());

        let (mut context, line) = match candidate.id.filter(|_| trusted && rejected.is_none()) {
            Some((id, name)) => {
                let id = CorrelationId::from_valid(id);
                (Context::received(id, Origin::Header(name)), candidate.line)
            }
            None => (
                Context::received(self.generator.generate(), Origin::Generated),
                None,
            ),
        };
        let untrusted = candidate.id.filter(|_| !trusted);
        if let Some((id, header)) = untrusted {
            context.set_untrusted_id(CorrelationId::from_valid(id), header);
        }
        let parent = parent.filter(|_| self.trace_context != TraceContext::Off);
        if !trusted && traceparent.is_some() && self.trace_context != TraceContext::Off {
            context.set_untrusted_trace(parent.as_ref().map(Traceparent::trace_id));
        }
        let continued = parent.filter(|_| trusted);
        self.add_trace(
            &mut context,
            continued.map(|parent| self.continued(parent, lines)),
        );
        if rejected.is_none() {
            self.open_span(&mut context);
        }

        let untrusted = untrusted.filter(|_| peer.is_none() || !self.access_record);
        if untrusted.is_some() || !ignored.is_empty() || rejected.is_some() {
            context::sync_scope(context.clone(), || {
                tell(&ignored, rejected);
                if let Some((id, _)) = untrusted {
                    diagnostics::untrusted(id);
                }
            });
        }
        (Decision::new(context, rejected), line)
    }

    /// Reads the sources in their order, up to the first one that has an ID.
    fn candidate<'a>(
        &self,
        found: &HeaderLines<'a>,
        parent: Option<&'a Traceparent>,
        ignored: &mut Ignored<'a>,
    ) -> Candidate<'a> {
        for source in &self.sources {
            let Some(at) = found.position(source.name) else {
                continue;
            };
            let occurrence = found.at(at);
            let id = match (&source.format, occurrence) {
                (Format::Traceparent, _) => match parent {
                    Some(parent) => self.check(parent.trace_id_str().as_bytes()),
                    None => continue,
                },
                (_, Occurrence::Conflict) => Err(Fault::Empty),
                (Format::Plain, Occurrence::One(value)) => self.check_header(value),
                (Format::Known(parse), Occurrence::One(value)) => self.check_known(value, parse),
                (Format::Own(parse), Occurrence::One(value)) => {
                    self.check_part(value, |value| PARSE.ask(|| parse(value)).flatten())
                }
            };
            match id {
                Ok(id) => {
                    // Another source may have read the header before, in a format that it has not.
                    ignored.retain(|header| header.name != source.name);
                    return Candidate {
                        id: Some((id, source.name)),
                        line: source.is_plain().then_some(at),
                    };
                }
                Err(fault) => ignore(
                    ignored,
                    IgnoredHeader {
                        name: source.name,
                        occurrence,
                        reason: fault.reason(),
                        rejects: source.is_plain() && !matches!(fault, Fault::Placeholder),
                    },
                ),
            }
        }
        Candidate {
            id: None,
            line: None,
        }
    }

    /// Whether a header value is an ID by the rules of this policy.
    ///
    /// The value must have the right length and alphabet, and pass the
    /// [`validator`](Self::validator). It must not be a placeholder such as `null`. White space
    /// around it does not count.
    ///
    /// ```
    /// use correlation_core::Policy;
    ///
    /// let policy = Policy::new().max_len(36);
    /// assert!(policy.accepts(b" click-1"));
    /// assert!(!policy.accepts(b"undefined"));
    /// ```
    #[must_use]
    pub fn accepts(&self, value: &[u8]) -> bool {
        self.check_header(trim(value)).is_ok()
    }

    /// Returns the ID in a header value. A proxy may have joined several lines into the value.
    pub(super) fn check_header<'a>(&self, value: &'a [u8]) -> Result<&'a str, Fault> {
        self.check(value).or_else(|fault| match joined(value) {
            Some(value) => self.check(value),
            None => Err(fault),
        })
    }

    /// Returns the ID that is a part of a header value. None of the known formats has a comma.
    pub(super) fn check_known<'a>(
        &self,
        value: &'a [u8],
        parse: impl Fn(&'a str) -> Option<&'a str>,
    ) -> Result<&'a str, Fault> {
        let value = if value.contains(&b',') {
            joined(value).ok_or(Fault::Format)?
        } else {
            value
        };
        self.check_part(value, parse)
    }

    fn check_part<'a>(
        &self,
        value: &'a [u8],
        parse: impl Fn(&'a str) -> Option<&'a str>,
    ) -> Result<&'a str, Fault> {
        let part = std::str::from_utf8(value).ok().and_then(parse);
        self.check(part.ok_or(Fault::Format)?.as_bytes())
    }

    fn check<'a>(&self, value: &'a [u8]) -> Result<&'a str, Fault> {
        if is_placeholder(value) {
            return Err(Fault::Placeholder);
        }
        let id = CorrelationId::validate(value, self.max_len)?;
        match &self.validator {
            Some(accepts) if VALIDATOR.ask(|| accepts(id)) != Some(true) => Err(Fault::Refused),
            _ => Ok(id),
        }
    }

    fn rejected(&self, invalid: bool, missing: bool) -> Option<Rejected> {
        if invalid && self.reject_invalid {
            return Some(Rejected::new(RejectReason::Invalid));
        }
        let missing = missing && self.reject_missing;
        missing.then_some(Rejected::new(RejectReason::Missing))
    }
}

static VALIDATOR: Closure = Closure::new("the validator panicked: the ID is not valid");
static PARSE: Closure =
    Closure::new("the closure of `Source::parsed` panicked: the header has no ID");

/// Passes the value of each line of a header to `show`.
// Rarely called, and so not inlined. The pass over all headers is inlined at the call site.
#[cold]
#[inline(never)]
fn show_lines<'s, 'h: 's, N: AsRef<str>, V: AsRef<[u8]> + ?Sized + 'h>(
    headers: impl IntoIterator<Item = (N, &'h V)>,
    name: &str,
    show: &mut dyn FnMut(&'s [u8]),
) {
    for (known, line) in headers {
        if known.as_ref().eq_ignore_ascii_case(name) {
            show(line.as_ref());
        }
    }
}

struct Candidate<'a> {
    /// The ID as text, and its header. Moving a whole ID takes measurable time.
    id: Option<(&'a str, &'static str)>,
    /// The position of the header, if its whole value is the ID.
    line: Option<usize>,
}

/// The headers that were read and gave no ID.
type Ignored<'a> = ArrayVec<IgnoredHeader<'a>, MAX_WATCHED>;

struct IgnoredHeader<'a> {
    name: &'static str,
    occurrence: Occurrence<'a>,
    reason: &'static str,
    /// It is the header of a plain ID, and a policy may reject the request for it.
    rejects: bool,
}

#[cold]
fn ignore<'a>(ignored: &mut Ignored<'a>, header: IgnoredHeader<'a>) {
    match ignored.iter_mut().find(|known| known.name == header.name) {
        Some(known) => known.rejects |= header.rejects,
        // The array has room for every header.
        None => drop(ignored.try_push(header)),
    }
}

#[cold]
fn tell(ignored: &Ignored<'_>, rejected: Option<Rejected>) {
    for header in ignored {
        match header.occurrence {
            Occurrence::One(value) => {
                diagnostics::header_ignored(header.name, value.len(), header.reason);
            }
            Occurrence::Conflict => diagnostics::header_repeated(header.name),
        }
    }
    if let Some(rejected) = rejected {
        diagnostics::rejected(rejected.as_str());
    }
}
