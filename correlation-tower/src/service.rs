use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use correlation_core::Scoped;
use correlation_core::http::receive;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::ending::Ending;
use crate::settings::Settings;
use crate::{CorrelatedBody, ResponseFuture, peer};

/// A service whose requests have a correlation ID: made by
/// [`CorrelationLayer`](crate::CorrelationLayer).
#[derive(Clone, Debug)]
pub struct Correlation<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> Correlation<S> {
    pub(crate) const fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
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
        let settings = Arc::clone(&self.settings);
        let policy = &settings.policy;
        let peer = policy
            .wants_peer()
            .then(|| peer::ip(request.extensions()))
            .flatten();
        let (context, header) = match receive(policy, request.headers(), peer) {
            (Ok(context), header) => (context, header),
            (Err(rejected), header) => {
                let ending = Ending::new(policy, rejected.context(), &request);
                return ResponseFuture::rejected(settings, header, ending);
            }
        };
        // If the call panics, this is dropped while it does, which is what the record tells.
        let ending = Ending::new(policy, &context, &request);
        if let Some(name) = &settings.rewritten {
            request.headers_mut().insert(name, header.clone());
        }
        // Inner services do work before they return their future: that is in scope too.
        let future = Scoped::made_in_context(context, || self.inner.call(request));
        ResponseFuture::running(settings, header, ending, future)
    }
}
