//! For servers on `http` 1.x.

use http::header::ACCESS_CONTROL_EXPOSE_HEADERS as EXPOSE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Expose, merge};
use crate::id::CorrelationId;
use crate::inbound::{Decision, Peer, Policy};

impl From<&CorrelationId> for HeaderValue {
    fn from(id: &CorrelationId) -> Self {
        // Every byte of an ID is visible ASCII, so the fallback is never taken.
        Self::from_str(id.as_str()).unwrap_or_else(|_| Self::from_static("-"))
    }
}

impl From<CorrelationId> for HeaderValue {
    fn from(id: CorrelationId) -> Self {
        (&id).into()
    }
}

/// As [`Policy::receive`], with the header value for the response: the one in which the ID came,
/// if it did, so that its bytes are shared.
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
    // Not if white space was trimmed.
    let came = line.filter(|line| line.len() == id.as_str().len());
    let value = came.map_or_else(|| id.into(), HeaderValue::clone);
    (decision, value)
}

/// The headers of responses, as a policy wants them, prepared once for all of them.
#[derive(Clone, Debug)]
pub struct ResponseHeaders {
    name: Option<HeaderName>,
    /// The same name, if browsers are to be told of it.
    exposed: Option<&'static str>,
}

impl ResponseHeaders {
    /// Prepares what `policy` says.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        Self {
            name: policy.response_header_name().map(HeaderName::from_static),
            exposed: policy.exposed_header_name(),
        }
    }

    /// Sets the ID in the headers of a response: once, over whatever is there.
    ///
    /// `id` is the ID or, to share its bytes, the header value that it came in.
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
