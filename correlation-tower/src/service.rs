use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use correlation_core::{Context, Policy, Scoped, Source, http::lines, sync_scope};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::{CorrelatedBody, ResponseFuture, peer};

/// A service whose requests have a correlation ID: made by
/// [`CorrelationLayer`](crate::CorrelationLayer).
#[derive(Clone, Debug)]
pub struct Correlation<S> {
    inner: S,
    policy: Arc<Policy>,
}

impl<S> Correlation<S> {
    pub(crate) const fn new(inner: S, policy: Arc<Policy>) -> Self {
        Self { inner, policy }
    }
}

impl<S, Q, B> Service<Request<Q>> for Correlation<S>
where
    S: Service<Request<Q>, Response = Response<B>>,
    B: Body,
{
    type Response = Response<CorrelatedBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        let peer = self
            .policy
            .wants_peer()
            .then(|| peer::ip(request.extensions()))
            .flatten();
        let context = match self.policy.receive(|| lines(request.headers()), peer) {
            Ok(context) => context,
            Err(rejected) => {
                let header = header_value(rejected.context(), request.headers());
                return ResponseFuture::rejected(Arc::clone(&self.policy), header);
            }
        };
        let header = header_value(&context, request.headers());
        if let Some(name) = self.policy.request_header_name() {
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), header.clone());
        }
        // Inner services do work before they return their future: that is in scope too.
        let future = sync_scope(context.clone(), || self.inner.call(request));
        let future = Scoped::in_context(context.clone(), future);
        ResponseFuture::running(Arc::clone(&self.policy), header, context, future)
    }
}

/// The ID as it came, if it came in a header: that value is shared, not copied.
fn header_value(context: &Context, headers: &HeaderMap) -> HeaderValue {
    let came = match context.source() {
        Source::Header(name) => headers.get(name),
        _ => None,
    };
    // Not so when white space was trimmed, or when the context is that of an outer layer.
    came.filter(|value| value.as_bytes() == context.id().as_str().as_bytes())
        .cloned()
        .unwrap_or_else(|| context.id().into())
}
