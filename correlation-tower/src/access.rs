//! Feeds the access record of a request until its response body ends.

use bytes::Buf;
use correlation_core::adapter::{AccessRecord, Peer};
use correlation_core::{Context, Policy};
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body::{Body, Frame};

/// Begins the access record if the policy wants one.
#[inline]
pub(crate) fn begin<Q>(
    policy: &Policy,
    context: &Context,
    request: &Request<Q>,
    peer: Peer,
) -> AccessRecord {
    if AccessRecord::is_wanted(policy) {
        begin_wanted(policy, context, request, peer)
    } else {
        AccessRecord::default()
    }
}

#[cold]
fn begin_wanted<Q>(
    policy: &Policy,
    context: &Context,
    request: &Request<Q>,
    peer: Peer,
) -> AccessRecord {
    let uri = request.uri();
    // A nested router sees only the rest of the path.
    #[cfg(feature = "axum")]
    let original = request.extensions().get::<axum::extract::OriginalUri>();
    #[cfg(feature = "axum")]
    let uri = original.map_or(uri, |original| &original.0);
    let method = request.method().as_str();
    #[cfg_attr(not(feature = "axum"), expect(unused_mut))]
    let mut access = AccessRecord::begin(policy, context, method, uri.path(), peer);
    #[cfg(feature = "axum")]
    if let Some(route) = request.extensions().get::<axum::extract::MatchedPath>() {
        access.route(route.as_str());
    }
    access
}

/// Records the status and the size of the response.
#[inline]
pub(crate) fn response<B: Body>(access: &mut AccessRecord, response: &Response<B>) {
    if access.is_open() {
        begin_body(access, response);
    }
}

#[cold]
fn begin_body<B: Body>(access: &mut AccessRecord, response: &Response<B>) {
    access.status(response.status().as_u16());
    let body = response.body();
    let length = response.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let exact = || body.size_hint().exact();
    let length = if body.is_end_stream() {
        Some(0)
    } else {
        length.or_else(exact)
    };
    match length {
        Some(length) => access.length(length),
        None => access.sent(0),
    }
}

/// Records a frame of the body that is about to be sent.
pub(crate) fn frame<D: Buf>(access: &mut AccessRecord, frame: &Frame<D>) {
    if let Some(data) = frame.data_ref() {
        access.sent(data.remaining().try_into().unwrap_or(u64::MAX));
    } else if frame.is_trailers() {
        // Trailers are the last frame, and some servers do not poll again after them.
        access.complete();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context as TaskContext, Poll};

    use bytes::Bytes;
    use correlation_core::CorrelationId;
    use http::HeaderMap;
    use http_body::SizeHint;

    use super::*;

    /// A body that reports its size but never its end, as many wrappers do.
    struct Silent(Option<u64>);

    impl Body for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut TaskContext<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }

        fn size_hint(&self) -> SizeHint {
            self.0.map_or_else(SizeHint::default, SizeHint::with_exact)
        }
    }

    /// Returns the access record of a request that gets this response.
    fn answered(body: Silent, length: Option<&'static str>) -> AccessRecord {
        let context = Context::from("click-1".parse::<CorrelationId>().unwrap());
        let policy = Policy::new().access_record(true);
        let mut access = begin(&policy, &context, &Request::new(()), Peer::Unknown);
        let mut known = Response::new(body);
        if let Some(length) = length {
            let length = length.parse().unwrap();
            known.headers_mut().insert(CONTENT_LENGTH, length);
        }
        response(&mut access, &known);
        access
    }

    #[test]
    fn a_body_ends_where_its_server_stops_to_ask() {
        for (size, length) in [(Some(0), None), (None, Some("0")), (Some(3), Some("0"))] {
            assert!(!answered(Silent(size), length).is_open());
        }
        let data = |text: &'static str| Frame::data(Bytes::from_static(text.as_bytes()));
        for (size, length) in [(Some(3), None), (None, Some("3"))] {
            let mut access = answered(Silent(size), length);
            frame(&mut access, &data("ab"));
            assert!(access.is_open());
            frame(&mut access, &data("c"));
            assert!(!access.is_open());
        }
        let mut access = answered(Silent(None), None);
        frame(&mut access, &data("abc"));
        assert!(access.is_open());
        let trailers = Frame::<Bytes>::trailers(HeaderMap::new());
        frame(&mut access, &trailers);
        assert!(!access.is_open());
    }
}
