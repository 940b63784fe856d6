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

/// One log record for a request, written when the request has ended. Adapters and custom servers
/// use it.
///
/// [`Policy::access_record`] turns the records on, and [`begin`](Self::begin) makes one.
/// [`run`](Self::run) each step of the request with it. Then call [`route`](Self::route),
/// [`status`](Self::status), [`sent`](Self::sent) for each part of the body, and
/// [`complete`](Self::complete) after the last part. The record is written then, in the context of
/// the request. If you drop it earlier, it is written with the outcome `client_gone`. If the records
/// are off, these methods do nothing.
///
/// ```
/// use correlation_core::{Policy, adapter::AccessRecord};
///
/// let policy = Policy::new().access_record(true);
/// let decision = policy.receive(|| [("X-Request-ID", "click-1")], None);
/// let mut record = AccessRecord::begin(&policy, decision.context(), "GET", "/orders/42", None);
/// let body = record.run(|| "an order"); // your handler
/// record.status(200);
/// record.sent(8); // the bytes of `body`
/// record.complete();
/// # assert!(!record.is_open() && body.len() == 8);
/// ```
///
/// The record looks like this:
///
/// ```text
/// INFO access: request method="GET" path="/orders/42" route="/orders/{id}" status=200 bytes=512 latency_ms=3.142 peer=192.0.2.7 outcome="completed"
/// ```
///
/// Fields without a known value are left out. The query string is always left out, since people put
/// secrets there. A method or path over 1,024 bytes is cut, and `…` follows it. What is escaped in
/// text counts as it is written. The level is `WARN`
/// if the status is 500 or above, or if the request panicked or failed.
///
/// # Panics
///
/// A panic in [`run`](Self::run) is caught, the record is written, and the panic continues. A panic
/// of the logger is ignored; a logger may panic if nobody reads standard output. While a thread
/// unwinds, nothing is logged. So a record that is dropped by a panic outside `run` is not written.
#[derive(Debug, Default)]
// Boxed, since futures and bodies hold one, and most of them are empty.
pub struct AccessRecord(Option<Box<Record>>);

/// The data of a request when it ends.
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
    /// After this many bytes, nobody asks the body for more.
    length: Option<u64>,
    /// `None` if another record is written for the request.
    outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    Completed,
    Panicked,
    Failed,
    /// The default, until anything else is known.
    ClientGone,
}

impl AccessRecord {
    /// Whether the policy writes access records, for adapters where getting the method and path
    /// costs time.
    #[must_use]
    pub const fn is_wanted(policy: &Policy) -> bool {
        policy.wants_access_record()
    }

    /// Begins the record of a request, if the policy writes one.
    ///
    /// Inside a scope it begins none, since an outer middleware writes the record. `target` is the
    /// path, with or without a query. `peer` is the value that you pass to [`Policy::receive`].
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
            outcome: Some(Outcome::ClientGone),
        };
        Self(wanted.then(|| Box::new(record())))
    }

    /// Whether a record is still to be written.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Runs a step of the request. If it panics, the outcome is `panicked`.
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

    /// Sets the route that the request matched, as the framework writes it: `/orders/{id}`.
    pub fn route(&mut self, route: impl Into<String>) {
        if let Some(record) = &mut self.0 {
            record.route = Some(route.into());
        }
    }

    /// Sets the status of the response.
    ///
    /// If the status or the method implies that no body is sent (RFC 9110, section 6.4.1), the
    /// record is complete.
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

    /// Sets the length of the whole body. The record is complete after this many bytes, since
    /// nobody asks for more.
    pub fn length(&mut self, bytes: u64) {
        if let Some(record) = &mut self.0 {
            record.length = Some(bytes);
            self.sent(0);
        }
    }

    /// Adds this many bytes of the body that were sent since the last call.
    pub fn sent(&mut self, bytes: u64) {
        let Some(record) = &mut self.0 else { return };
        let sum = record.bytes.unwrap_or(0).saturating_add(bytes);
        record.bytes = Some(sum);
        if record.length.is_some_and(|length| length <= sum) {
            self.complete();
        }
    }

    /// Completes the record: the body has ended, or there is none.
    pub fn complete(&mut self) {
        self.end(Outcome::Completed);
    }

    /// Completes the record with the outcome `panicked`. Use it if the framework does not let you
    /// [run](Self::run) the code of the request. Call it when the thread no longer unwinds.
    pub fn panicked(&mut self) {
        self.end(Outcome::Panicked);
    }

    /// Completes the record with the outcome `failed`: there is an error in the place of a response,
    /// or of the rest of its body.
    pub fn failed(&mut self) {
        self.end(Outcome::Failed);
    }

    /// Writes no record, because the request is passed on to code that writes its own.
    pub fn discard(mut self) {
        if let Some(record) = &mut self.0 {
            record.outcome = None;
        }
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(mut record) = self.0.take() {
            record.outcome = Some(outcome);
        }
    }
}

impl Record {
    /// Writes the record of a request that has ended.
    fn write(&self, outcome: Outcome) {
        let failed = matches!(outcome, Outcome::Panicked | Outcome::Failed)
            || self.status.is_some_and(|status| status >= 500);
        // Rounded to the microsecond.
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
        let outcome = outcome.as_str();

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

/// Cuts a long text that the caller chose.
fn cut(text: &str) -> String {
    let mut left = LONGEST;
    let fits = |char: &char| {
        // Records of text escape some characters, which makes them up to seven times as long.
        let escaped = char.escape_debug().map(char::len_utf8).sum();
        let rest = left.checked_sub(char.len_utf8().max(escaped));
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    let short: String = text.chars().take_while(fits).collect();
    if short.len() < text.len() {
        short + "…"
    } else {
        short
    }
}

/// The maximum length in bytes, as a record of text shows them. Servers accept paths of 64 KiB and
/// more.
const LONGEST: usize = 1024;

impl Drop for Record {
    fn drop(&mut self) {
        // A second panic while the first one unwinds would abort the process. So would a panic that
        // leaves the destructor of a thread-local.
        let Some(outcome) = self.outcome.filter(|_| !thread::panicking()) else {
            return;
        };
        let write = || context::sync_scope(self.context.clone(), || self.write(outcome));
        foreign::caught(write);
    }
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Panicked => "panicked",
            Self::Failed => "failed",
            Self::ClientGone => "client_gone",
        }
    }
}
