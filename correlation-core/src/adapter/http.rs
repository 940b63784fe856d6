//! Helpers for servers that use `http` 1.x.
//!
//! ```
//! use correlation_core::{Policy, adapter::http::{ResponseHeaders, receive}};
//! use http::{HeaderMap, HeaderValue};
//!
//! let policy = Policy::new();
//! let prepared = ResponseHeaders::new(&policy); // once, when the server starts
//!
//! let mut request = HeaderMap::new();
//! request.insert("x-request-id", HeaderValue::from_static("click-1"));
//! let (decision, value) = receive(&policy, &request, None);
//! assert_eq!(decision.context().id(), &"click-1"); // run the request in this context
//!
//! let mut response = HeaderMap::new();
//! prepared.set(value, &mut response);
//! assert_eq!(response["x-correlation-id"], "click-1");
//! ```

use http::header::ACCESS_CONTROL_EXPOSE_HEADERS as EXPOSE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Expose, merge};
use crate::id::CorrelationId;
use crate::inbound::{Decision, Peer, Policy};

impl From<&CorrelationId> for HeaderValue {
    fn from(id: &CorrelationId) -> Self {
        // Every byte of an ID is visible ASCII, so this never falls back to `-`.
        Self::from_str(id.as_str()).unwrap_or_else(|_| Self::from_static("-"))
    }
}

impl From<CorrelationId> for HeaderValue {
    fn from(id: CorrelationId) -> Self {
        (&id).into()
    }
}

/// Decides as [`Policy::receive`] does, and also returns the header value for the response. If the
/// whole value of an inbound header is the ID, both share its bytes.
#[inline]
pub fn receive(
    policy: &Policy,
    headers: &HeaderMap,
    peer: impl Into<Peer>,
) -> (Decision, HeaderValue) {
    receive_from(policy, headers, peer.into())
}

fn receive_from(policy: &Policy, headers: &HeaderMap, peer: Peer) -> (Decision, HeaderValue) {
    let (decision, line) = policy.receive_line(|| headers, peer);
    let id = decision.context().id();
    // A line with white space around the ID is not shared.
    let came = line.filter(|line| line.len() == id.as_str().len());
    let value = came.map_or_else(|| id.into(), HeaderValue::clone);
    (decision, value)
}

/// The response headers that a policy asks for, prepared once for all responses.
#[derive(Clone, Debug)]
pub struct ResponseHeaders {
    name: Option<HeaderName>,
    /// The same name, if scripts of other origins may read the header.
    exposed: Option<&'static str>,
}

impl ResponseHeaders {
    /// Prepares the headers that `policy` asks for.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        Self {
            name: policy.response_header_name().map(HeaderName::from_static),
            exposed: policy.exposed_header_name(),
        }
    }

    /// Sets the ID once in the headers of a response, and replaces any value that is there.
    ///
    /// `id` is the ID or, to share its bytes, the header value that carried it.
    #[inline]
    pub fn set(&self, id: impl Into<HeaderValue>, headers: &mut HeaderMap) {
        let Some(name) = &self.name else { return };
        headers.insert(name, id.into());
        if let Some(name) = self.exposed {
            let present = headers.get_all(EXPOSE).iter().map(HeaderValue::as_bytes);
            match merge(present, name) {
                Some(Expose::Set(all)) => {
                    if let Ok(all) = HeaderValue::try_from(all) {
                        headers.insert(EXPOSE, all);
                    }
                }
                Some(Expose::Add(line)) => {
                    headers.append(EXPOSE, HeaderValue::from_static(line));
                }
                None => {}
            }
        }
    }
}
