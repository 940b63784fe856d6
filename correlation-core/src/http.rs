//! `http` 1.x: headers as a carrier, an ID as a header value.

use std::net::IpAddr;

use ::http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::carrier::{Extractor, Injector};
use crate::trace_context::TRACEPARENT;
use crate::{Context, CorrelationId, Policy, Rejected, Targets};

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

impl Targets {
    /// Whether a request to this URI may get the ID.
    ///
    /// A URI that has no host counts as allowed: its request goes over a connection that somebody
    /// made for it.
    #[must_use]
    pub fn allow_uri(&self, uri: &Uri) -> bool {
        uri.host()
            .is_none_or(|host| self.allow(uri.scheme_str(), host, uri.port_u16()))
    }
}

impl Injector for HeaderMap {
    fn set(&mut self, key: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.insert(HeaderName::from_static(key), value);
        }
    }

    fn contains(&self, key: &str) -> bool {
        self.contains_key(key)
    }
}

impl Extractor for HeaderMap {
    /// A header that comes more than once is no ID.
    fn get(&self, key: &str) -> Option<&[u8]> {
        let mut lines = self.get_all(key).iter();
        let first = lines.next()?;
        // A repeated `traceparent` is never valid, whatever it says.
        let agrees = |line| line == first && !key.eq_ignore_ascii_case(TRACEPARENT);
        lines.all(agrees).then_some(first.as_bytes())
    }
}

/// As [`Policy::receive`], with the header value for the response: the one in which the ID came,
/// if it did, so that its bytes are shared.
pub fn receive(
    policy: &Policy,
    headers: &HeaderMap,
    peer: Option<IpAddr>,
) -> (Result<Context, Rejected>, HeaderValue) {
    let mut line = None;
    let received = policy.receive_line(|| headers, HeaderValue::as_bytes, peer, &mut line);
    let id = match &received {
        Ok(context) => context.id(),
        Err(rejected) => rejected.context().id(),
    };
    // Not if white space was trimmed.
    let came = line.filter(|line| line.len() == id.as_str().len());
    let value = came.map_or_else(|| id.into(), HeaderValue::clone);
    (received, value)
}

/// The lines of an `http` 1.x header map, in the form that
/// [`Policy::receive`](crate::Policy::receive) takes.
#[inline]
pub fn lines(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
}

/// Sets the ID in the headers of a response, as the policy says: once, over whatever is there.
///
/// A server that does this for every response prepares [`ResponseHeaders`] instead.
pub fn answer(policy: &Policy, id: impl Into<HeaderValue>, headers: &mut HeaderMap) {
    ResponseHeaders::new(policy).set(id, headers);
}

/// The headers of responses, as a policy wants them, prepared once for all of them.
#[derive(Clone, Debug)]
pub struct ResponseHeaders {
    name: Option<HeaderName>,
    exposed: bool,
}

impl ResponseHeaders {
    /// Prepares what `policy` says.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        Self {
            name: policy.response_header_name().map(HeaderName::from_static),
            exposed: policy.exposed_headers([].into_iter()).is_some(),
        }
    }

    /// Sets the ID in the headers of a response: once, over whatever is there.
    ///
    /// `id` is the ID or, to share its bytes, the header value that it came in.
    #[inline]
    pub fn set(&self, id: impl Into<HeaderValue>, headers: &mut HeaderMap) {
        use ::http::header::ACCESS_CONTROL_EXPOSE_HEADERS as EXPOSE;

        let Some(name) = &self.name else { return };
        headers.insert(name, id.into());
        if self.exposed {
            let present = headers
                .get_all(EXPOSE)
                .iter()
                .filter_map(|line| line.to_str().ok());
            let merged = crate::header::expose(present, name.as_str()).map(HeaderValue::try_from);
            if let Some(Ok(merged)) = merged {
                headers.insert(EXPOSE, merged);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{extract, inject, sync_scope};

    #[test]
    fn a_header_map_carries_the_id() {
        let mut headers = HeaderMap::new();
        sync_scope("click-1".parse::<CorrelationId>().unwrap(), || {
            inject(&mut headers);
        });
        assert_eq!(headers["X-Correlation-ID"], "click-1");
        assert_eq!(extract(&headers).unwrap(), "click-1");
        headers.append("x-correlation-id", HeaderValue::from_static("click-2"));
        assert_eq!(extract(&headers), None);

        let trace =
            HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let mut headers = HeaderMap::new();
        headers.append("traceparent", trace.clone());
        assert_eq!(
            extract(&headers).unwrap(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        headers.append("traceparent", trace);
        assert_eq!(extract(&headers), None);
    }

    #[test]
    fn the_host_of_a_uri_is_what_counts() {
        let targets = Targets::hosts(["orders.internal:8080", "[::1]"]);
        for yes in [
            "http://orders.internal:8080/a",
            "http://me:secret@orders.internal:8080",
            "https://[::1]/",
            "/a",
        ] {
            assert!(targets.allow_uri(&yes.parse().unwrap()), "{yes}");
        }
        for no in [
            "http://orders.internal/",
            "http://orders.internal:8080@evil.test/",
            "http://evil.test:8080/?orders.internal:8080",
            "http://evil.test/orders.internal:8080",
        ] {
            assert!(!targets.allow_uri(&no.parse().unwrap()), "{no}");
        }
    }

    #[test]
    fn an_answer_has_the_id_once() {
        let mut headers = HeaderMap::new();
        headers.append("x-correlation-id", HeaderValue::from_static("a"));
        headers.append("x-correlation-id", HeaderValue::from_static("b"));
        headers.append(
            "access-control-expose-headers",
            HeaderValue::from_static("etag"),
        );
        let policy = Policy::new().expose_to_browsers(true);
        let id: CorrelationId = "click-1".parse().unwrap();
        answer(&policy, &id, &mut headers);
        let ids: Vec<_> = headers.get_all("x-correlation-id").iter().collect();
        assert_eq!(ids, ["click-1"]);
        assert_eq!(
            headers["access-control-expose-headers"],
            "etag, x-correlation-id"
        );
    }
}
