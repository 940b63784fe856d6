//! What adapters and custom servers need, and users do not.
//!
//! A server adapter asks [`Policy::receive`] for the context of a request, runs the request in it,
//! and sets the headers that are prepared here. An adapter of a client asks [`Ambient::at_send`]
//! for the context of a call, and writes it with [`Targets::inject`](crate::Targets::inject).

mod access;
#[cfg(feature = "http")]
pub mod http;

use std::pin::Pin;

pub use crate::context::Ambient;
#[cfg(feature = "tokio")]
pub use crate::context::TaskContext;
use crate::context::{Context, Scoped};
use crate::inbound::Policy;
pub use crate::inbound::{Decision, Peer, Rejected};
pub use crate::outbound::Destination;
pub use access::AccessRecord;

/// As [`Policy::receive`], with the header line whose whole value is the ID, if there is one: so that
/// the response can share its bytes. White space around the ID may stand in the line.
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

/// The response header that carries the ID, in lower case, if the policy has one.
#[must_use]
pub const fn response_header(policy: &Policy) -> Option<&'static str> {
    policy.response_header_name()
}

/// The request header that has to be set to the final ID, in lower case, if the policy
/// [rewrites](Policy::rewrite_request) requests.
#[must_use]
pub fn request_header(policy: &Policy) -> Option<&'static str> {
    policy.request_header_name()
}

/// Whether the policy asks for the address of the peer at all: for servers to which it costs
/// something.
#[must_use]
pub const fn wants_peer(policy: &Policy) -> bool {
    policy.wants_peer()
}

/// Whether [`Policy::receive`] can reject: for servers that have to prepare for it.
#[must_use]
pub const fn rejects(policy: &Policy) -> bool {
    policy.rejects()
}

/// What to do with `Access-Control-Expose-Headers`, if anything.
///
/// `present` gives its lines, and is asked only if the policy
/// [exposes](Policy::expose_to_browsers) the response header.
#[must_use]
pub fn expose<'h, I: Iterator<Item = &'h [u8]>>(
    policy: &Policy,
    present: impl FnOnce() -> I,
) -> Option<Expose> {
    merge(present(), policy.exposed_header_name()?)
}

/// What to do with `Access-Control-Expose-Headers`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Expose {
    /// Set it to this, in place of all lines that there are.
    Set(String),
    /// Add this line to those that there are, since not all of them can be read.
    Add(&'static str),
}

/// Gives any value a context: bodies, and other types that a framework polls.
///
/// [`scope`](crate::scope) does it for futures.
#[inline]
pub const fn scoped<T>(context: Context, inner: T) -> Scoped<T> {
    Scoped::in_context(context, inner)
}

/// Gives what `make` returns this context, which `make` itself runs in already: for services,
/// which may do work before they return their future.
#[inline(always)]
pub fn scoped_call<T>(context: Context, make: impl FnOnce() -> T) -> Scoped<T> {
    Scoped::made_in_context(context, make)
}

/// A value that has ended before it began: for types that stand for a request that runs or for one
/// that is rejected.
pub const fn ended<T>() -> Scoped<T> {
    Scoped::ended()
}

/// Gives `next` the context of what has ended: for the body that comes after the future of a
/// response.
#[inline]
pub fn hand_over<T, N>(ended: Pin<&mut Scoped<T>>, next: N) -> Scoped<N> {
    ended.hand_over(next)
}

/// Runs `f` on the inner value, in its context: for traits that this crate does not know, such as
/// that of a framework's body. `None` if the inner value has ended and is gone.
#[inline]
pub fn in_scope<T, R>(scoped: Pin<&mut Scoped<T>>, f: impl FnOnce(Pin<&mut T>) -> R) -> Option<R> {
    scoped.with_pin_mut(f)
}

/// The inner value, outside its context: for cheap questions such as a size. `None` if it has
/// ended and is gone.
pub const fn inner<T>(scoped: &Scoped<T>) -> Option<&T> {
    scoped.inner()
}

/// Adds `name` to the values of `Access-Control-Expose-Headers` (Fetch standard, section
/// "HTTP extensions, CORS protocol"), or `None` if it is there already.
///
/// The lines are merged to one. If one of them is not ASCII, all of them are left alone.
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
        // A line that a browser cannot read is nobody's to delete.
        let added = Some(Expose::Add("x-correlation-id"));
        assert_eq!(merged(&["caf\u{e9}"]), added);
        assert_eq!(merged(&["ETag", "caf\u{e9}", "a"]), added);
        assert_eq!(merged(&["caf\u{e9}", "X-Correlation-ID"]), None);
    }
}
