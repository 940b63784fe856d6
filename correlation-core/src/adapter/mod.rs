//! The API for adapters, for custom servers, and for runtimes with hooks of their own. Other code
//! does not need it.
//!
//! A server adapter gets the context of a request from [`Policy::receive`], runs the request in it,
//! and sets the headers that this module prepares. A client adapter gets the context of a call from
//! [`Ambient::at_send`], and writes it with [`Targets::inject`](crate::Targets::inject).

mod access;
#[cfg(feature = "http")]
pub mod http;

use std::borrow::Cow;
use std::pin::Pin;

pub use crate::context::Ambient;
use crate::context::{Context, Scoped};
#[cfg(feature = "tokio")]
pub use crate::context::{SpawnHooks, TaskContext};
pub use crate::diagnostics::warn;
use crate::inbound::Policy;
pub use crate::inbound::{Decision, Peer, Rejected};
pub use crate::outbound::Destination;
use crate::outbound::Targets;
pub use access::AccessRecord;

/// The names that carry the ID, and the keys of a log record.
pub mod names {
    pub use crate::names::{
        CORRELATION_ID, TRACE_ID, TRACEPARENT, TRACESTATE, X_CORRELATION_ID, X_REQUEST_ID,
    };
}

/// Decides as [`Policy::receive`] does, and also returns the header line whose whole value is the
/// ID, if there is one. The response can then share its bytes. The line may have white space around
/// the ID.
#[inline]
pub fn receive<'h, H, N, V>(
    policy: &Policy,
    headers: impl Fn() -> H,
    peer: impl Into<Peer>,
) -> (Decision, Option<&'h V>)
where
    H: IntoIterator<Item = (N, &'h V)>,
    N: AsRef<str>,
    V: AsRef<[u8]> + ?Sized + 'h,
{
    policy.receive_line(headers, peer.into())
}

/// Returns the response header that carries the ID, in lower case, if the policy has one.
#[must_use]
pub const fn response_header(policy: &Policy) -> Option<&'static str> {
    policy.response_header_name()
}

/// Returns the request header to set to the final ID, in lower case, if the policy
/// [rewrites](Policy::rewrite_request) requests.
#[must_use]
pub fn request_header(policy: &Policy) -> Option<&'static str> {
    policy.request_header_name()
}

/// Whether the policy needs the peer address at all, for servers where looking it up costs time.
#[must_use]
pub const fn wants_peer(policy: &Policy) -> bool {
    policy.wants_peer()
}

/// Whether [`Policy::receive`] can reject a request, for servers that must prepare for it.
#[must_use]
pub const fn rejects(policy: &Policy) -> bool {
    policy.rejects()
}

/// Returns the policy for one message: its validator is asked once for each value, however often
/// the policy is. Use it to choose among the values of a message with [`Policy::accepts`].
#[must_use]
pub fn for_message(policy: &Policy) -> Cow<'_, Policy> {
    policy.for_message()
}

/// Whether the targets are limited to named hosts. If they are not, a client need not find out the
/// destination of a call.
#[must_use]
pub const fn needs_destination(targets: &Targets) -> bool {
    targets.are_restricted()
}

/// Decides how to change `Access-Control-Expose-Headers`. `None` means that nothing has to change.
///
/// `present` returns the lines of that header. It is called only if the policy
/// [exposes](Policy::expose_to_browsers) the response header.
#[must_use]
pub fn expose<'h, I: Iterator<Item = &'h [u8]>>(
    policy: &Policy,
    present: impl FnOnce() -> I,
) -> Option<Expose> {
    merge(present(), policy.exposed_header_name()?)
}

/// A change of `Access-Control-Expose-Headers`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Expose {
    /// Set the header to this value, in place of all lines that it has.
    Set(String),
    /// Add this line to those that the header has, since some of them cannot be read.
    Add(&'static str),
}

/// Wraps any value in a context: a body, or another type that a framework polls.
///
/// For futures, use [`scope`](crate::scope).
#[inline]
pub const fn scoped<T>(context: Context, inner: T) -> Scoped<T> {
    Scoped::in_context(context, inner)
}

/// Runs `make` in a context, and wraps its return value in the same context. Use it for services,
/// which may do work before they return their future.
#[inline(always)]
pub fn scoped_call<T>(context: Context, make: impl FnOnce() -> T) -> Scoped<T> {
    Scoped::made_in_context(context, make)
}

/// Makes a [`Scoped`] value that has already ended. Use it in a type that stands either for a
/// running request or for a rejected one.
pub const fn ended<T>() -> Scoped<T> {
    Scoped::ended()
}

/// Wraps `next` in the context of `ended`, which has none afterwards. Use it for the body that
/// follows the future of a response.
#[inline]
pub fn hand_over<T, N>(ended: Pin<&mut Scoped<T>>, next: N) -> Scoped<N> {
    ended.hand_over(next)
}

/// Runs `f` on the inner value, in its context. Use it to implement a trait that this crate does
/// not know, such as the body trait of a framework. Returns `None` if the inner value has ended and
/// is gone.
#[inline]
pub fn in_scope<T, R>(scoped: Pin<&mut Scoped<T>>, f: impl FnOnce(Pin<&mut T>) -> R) -> Option<R> {
    scoped.with_pin_mut(f)
}

/// Returns the inner value outside its context, for cheap calls such as its size. `None` means that
/// it has ended and is gone.
pub const fn inner<T>(scoped: &Scoped<T>) -> Option<&T> {
    scoped.inner()
}

/// Adds `name` to the values of `Access-Control-Expose-Headers` (Fetch standard, section "HTTP
/// extensions, CORS protocol"). Returns `None` if it is already there.
///
/// All lines are merged into one. If one of them is not ASCII, no line is changed.
fn merge<'h>(present: impl Iterator<Item = &'h [u8]>, name: &'static str) -> Option<Expose> {
    let mut merged = Some(String::new());
    for line in present {
        let Some(line) = str::from_utf8(line).ok().filter(|line| line.is_ascii()) else {
            merged = None;
            continue;
        };
        for value in line.split(',').map(str::trim) {
            if value.eq_ignore_ascii_case(name) {
                return None;
            }
            if let Some(merged) = merged.as_mut().filter(|_| !value.is_empty()) {
                merged.push_str(value);
                merged.push_str(", ");
            }
        }
    }
    Some(match merged {
        Some(merged) => Expose::Set(merged + name),
        None => Expose::Add(name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exposed_headers_are_merged() {
        let merged = |lines: &[&str]| {
            let lines = lines.iter().map(|line| line.as_bytes());
            merge(lines, "x-correlation-id")
        };
        let set = |line: &str| Some(Expose::Set(line.to_owned()));
        assert_eq!(merged(&[]), set("x-correlation-id"));
        assert_eq!(
            merged(&["ETag, X-Other", "a"]),
            set("ETag, X-Other, a, x-correlation-id")
        );
        assert_eq!(merged(&["ETag", "X-Correlation-ID"]), None);
        // A line that a browser cannot read must not be deleted.
        let added = Some(Expose::Add("x-correlation-id"));
        assert_eq!(merged(&["caf\u{e9}"]), added);
        assert_eq!(merged(&["ETag", "caf\u{e9}", "a"]), added);
        assert_eq!(merged(&["caf\u{e9}", "X-Correlation-ID"]), None);
    }
}
