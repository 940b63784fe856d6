//! The access record.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::Instant;

use crate::context::{self, Context};
use crate::diagnostics;
use crate::foreign;
use crate::id::CorrelationId;
use crate::inbound::{Peer, Policy};

/// One log record for a request, written when it has ended: for adapters, and for servers of your
/// own.
///
/// [`Policy::access_record`] turns it on, [`begin`](Self::begin) makes it. Tell it what happens:
/// each step of the request is [`run`](Self::run) by it, then come [`route`](Self::route),
/// [`status`](Self::status), [`sent`](Self::sent) for each part of the body, and
/// [`complete`](Self::complete) after the last one. The record is written then, or when this is
/// dropped before, in the context of the request. Where it is off, all of that does nothing.
///
/// ```text
/// INFO access: request method="GET" path="/orders/42" route="/orders/{id}" status=200 bytes=512 latency_ms=3.142 peer=192.0.2.7 outcome="completed"
/// ```
///
/// What is not known is left out. So is the query string, since people put secrets there. Of a
/// method or path over 1,024 bytes the beginning is told, with `…` behind it. A status of 500 and
/// above, and a panic, make it a record of the level `WARN`.
///
/// # Panics
///
/// A panic in [`run`](Self::run) is caught, the record is written, and the panic goes on. A logger
/// that panics itself, as on a standard output that nobody reads, is ignored. While a thread
/// unwinds nothing is logged: what is dropped by a panic that began outside of `run` has no record.
#[derive(Debug, Default)]
// Boxed, since futures and bodies have room for one, and mostly there is none.
pub struct AccessRecord(Option<Box<Record>>);

/// What is known of a request when it ends.
#[derive(Debug)]
struct Record {
    context: Context,
    method: String,
    path: String,
    route: Option<String>,
    peer: Option<IpAddr>,
    begun: Instant,
    status: Option<u16>,
    bytes: Option<u64>,
    /// After so many bytes nobody asks the body for more.
    length: Option<u64>,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    Completed,
    Panicked,
    /// What it is until anything else is known: nobody drops a record earlier.
    ClientGone,
}

impl AccessRecord {
    /// Whether [`begin`](Self::begin) begins any: for adapters to which method and path cost
    /// something.
    #[must_use]
    pub const fn is_wanted(policy: &Policy) -> bool {
        policy.wants_access_record()
    }

    /// Begins the record of a request, if there is to be one: not inside a scope, where an outer
    /// middleware writes it. `target` is the path, with or without a query; `peer` is what
    /// [`Policy::receive`] was told.
    #[must_use]
    pub fn begin(
        policy: &Policy,
        context: &Context,
        method: &str,
        target: &str,
        peer: impl Into<Peer>,
    ) -> Self {
        let wanted = policy.wants_access_record() && context::scoped_context().is_none();
        let record = move || Record {
            context: context.clone(),
            method: cut(method),
            path: cut(target.split('?').next().unwrap_or_default()),
            route: None,
            peer: peer.into().ip(),
            begun: Instant::now(),
            status: None,
            bytes: None,
            length: None,
            outcome: Outcome::ClientGone,
        };
        Self(wanted.then(|| Box::new(record())))
    }

    /// Whether a record is still to be written.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Runs a step of the request: a panic in it is the outcome.
    #[inline(always)]
    pub fn run<R>(&mut self, step: impl FnOnce() -> R) -> R {
        if self.0.is_none() {
            return step();
        }
        self.run_caught(step)
    }

    #[cold]
    fn run_caught<R>(&mut self, step: impl FnOnce() -> R) -> R {
        match catch_unwind(AssertUnwindSafe(step)) {
            Ok(result) => result,
            Err(panic) => {
                self.panicked();
                resume_unwind(panic)
            }
        }
    }

    /// The route that the request matched, as the framework writes it: `/orders/{id}`.
    pub fn route(&mut self, route: impl Into<String>) {
        if let Some(record) = &mut self.0 {
            record.route = Some(route.into());
        }
    }

    /// The response has this status.
    ///
    /// If that, or the method, means that no body is sent (RFC 9110, section 6.4.1), the record is
    /// complete.
    pub fn status(&mut self, status: u16) {
        let Some(record) = &mut self.0 else { return };
        record.status = Some(status);
        let bodiless = match record.method.as_str() {
            "HEAD" => true,
            "CONNECT" => (200..300).contains(&status),
            _ => matches!(status, 100..200 | 204 | 304),
        };
        if bodiless {
            self.length(0);
        }
    }

    /// The body has so many bytes in all: after them the record is complete, since nobody asks for
    /// more.
    pub fn length(&mut self, bytes: u64) {
        if let Some(record) = &mut self.0 {
            record.length = Some(bytes);
            self.sent(0);
        }
    }

    /// So many bytes of the body were sent, after those of the last call.
    pub fn sent(&mut self, bytes: u64) {
        let Some(record) = &mut self.0 else { return };
        let sum = record.bytes.unwrap_or(0).saturating_add(bytes);
        record.bytes = Some(sum);
        if record.length.is_some_and(|length| length <= sum) {
            self.complete();
        }
    }

    /// The body has ended, or there is none.
    pub fn complete(&mut self) {
        self.end(Outcome::Completed);
    }

    /// The code of the request has panicked: for frameworks that do not let it be
    /// [run](Self::run), to be called when the thread unwinds no more.
    pub fn panicked(&mut self) {
        self.end(Outcome::Panicked);
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(mut record) = self.0.take() {
            record.outcome = outcome;
        }
    }
}

impl Record {
    /// One request has ended.
    fn write(&self) {
        let failed =
            self.outcome == Outcome::Panicked || self.status.is_some_and(|status| status >= 500);
        // To the microsecond.
        let latency_ms = (self.begun.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let untrusted = self.context.untrusted_id().map(CorrelationId::as_str);
        let (untrusted_id, untrusted_len) = diagnostics::untrusted_fields(untrusted);
        let Self {
            method,
            path,
            route,
            status,
            bytes,
            peer,
            ..
        } = self;
        let outcome = self.outcome.as_str();

        #[cfg(feature = "tracing")]
        if diagnostics::is_traced() {
            macro_rules! write {
                ($level:ident) => {
                    tracing::$level!(
                        target: "access",
                        method = method.as_str(),
                        path = path.as_str(),
                        route = route.as_deref(),
                        status,
                        bytes,
                        latency_ms,
                        peer = peer.map(tracing::field::display),
                        untrusted_id,
                        untrusted_len,
                        outcome,
                        "request"
                    )
                };
            }
            if failed {
                write!(warn);
            } else {
                write!(info);
            }
            #[cfg(feature = "log")]
            return;
        }
        #[cfg(feature = "log")]
        {
            use std::fmt::Display;

            fn field(name: &str, value: Option<impl Display>) -> String {
                value.map_or_else(String::new, |value| format!(" {name}={value}"))
            }
            let level = if failed {
                log::Level::Warn
            } else {
                log::Level::Info
            };
            let quoted = |text: &str| format!("{text:?}");
            log::log!(
                target: "access",
                level,
                "request method={method:?} path={path:?}{}{}{} latency_ms={latency_ms}{}{}{} \
                 outcome={outcome:?}",
                field("route", route.as_deref().map(quoted)),
                field("status", *status),
                field("bytes", *bytes),
                field("peer", *peer),
                field("untrusted_id", untrusted_id.map(quoted)),
                field("untrusted_len", untrusted_len),
            );
        }
        #[cfg(not(any(feature = "tracing", feature = "log")))]
        let _ = (
            failed,
            latency_ms,
            untrusted_id,
            untrusted_len,
            (method, path, route, status, bytes, peer),
            outcome,
        );
    }
}

/// What the log says of text that the caller chose: the beginning, if it is long.
fn cut(text: &str) -> String {
    let end = (0..=LONGEST.min(text.len())).rfind(|&at| text.is_char_boundary(at));
    match end.and_then(|end| text.get(..end)) {
        Some(short) if short.len() < text.len() => format!("{short}…"),
        _ => text.to_owned(),
    }
}

/// Servers take paths of 64 KiB and more.
const LONGEST: usize = 1024;

impl Drop for Record {
    fn drop(&mut self) {
        // A second panic while the first one unwinds would end the process, and so would one that
        // leaves a destructor of a thread-local.
        if thread::panicking() {
            return;
        }
        let write = || context::sync_scope(self.context.clone(), || self.write());
        foreign::caught(write);
    }
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Panicked => "panicked",
            Self::ClientGone => "client_gone",
        }
    }
}
