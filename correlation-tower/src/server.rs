//! The layer of a server, its service and its future.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::{fmt, mem};

use correlation_core::adapter::{
    self, AccessRecord,
    http::{ResponseHeaders, receive},
};
use correlation_core::adapter::{Peer, Rejected};
use correlation_core::{Policy, Scoped};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{CorrelatedBody, access, peer};

/// Gives every request its correlation ID: the one layer a server needs.
///
/// It reads or makes the ID, runs the inner service in its scope (the synchronous `call`, the
/// future and the response body) and sets the response header. Put it outermost: what lies
/// outside it has no ID.
///
/// Behind a `tower::buffer` a second layer of this kind finds no scope and makes a second ID, unless
/// the outer one has the policy [`rewrite_request`](Policy::rewrite_request).
#[derive(Clone, Debug, Default)]
pub struct CorrelationLayer {
    settings: Arc<Settings>,
}

/// A policy, with the names it speaks of ready for use in header maps.
#[derive(Debug)]
struct Settings {
    policy: Policy,
    response: ResponseHeaders,
    /// The request header to set, if any.
    rewritten: Option<HeaderName>,
}

impl CorrelationLayer {
    /// With the default [`Policy`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With these rules for inbound requests.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.settings = Arc::new(Settings::new(policy));
        self
    }
}

impl Settings {
    fn new(policy: Policy) -> Self {
        Self {
            response: ResponseHeaders::new(&policy),
            rewritten: adapter::request_header(&policy).map(HeaderName::from_static),
            policy,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Policy::new())
    }
}

impl<S> Layer<S> for CorrelationLayer {
    type Service = CorrelationService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CorrelationService {
            inner,
            settings: Arc::clone(&self.settings),
        }
    }
}

/// A service whose requests have a correlation ID: made by [`CorrelationLayer`].
#[derive(Clone, Debug)]
pub struct CorrelationService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S, Q, B> Service<Request<Q>> for CorrelationService<S>
where
    S: Service<Request<Q>, Response = Response<B>>,
    B: Body<Data: 'static>,
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
        let peer = match adapter::wants_peer(policy) {
            true => peer::of(request.extensions()),
            false => Peer::Unknown,
        };
        let (decision, header) = receive(policy, request.headers(), peer);
        let mut access = access::begin(policy, decision.context(), &request, peer);
        if let Some(rejected) = decision.rejected() {
            return ResponseFuture {
                future: adapter::ended(),
                rejected: Some(rejected),
                settings,
                header: Some(header),
                access,
            };
        }
        if let Some(name) = &settings.rewritten {
            request.headers_mut().insert(name, header.clone());
        }
        // Inner services do work before they return their future: that is in scope too.
        let (context, inner) = (decision.into_context(), &mut self.inner);
        let call = || adapter::scoped_call(context, || inner.call(request));
        ResponseFuture {
            future: access.run(call),
            rejected: None,
            settings,
            header: Some(header),
            access,
        }
    }
}

pin_project! {
    /// The future of a [`CorrelationService`].
    pub struct ResponseFuture<F> {
        // Ended before it began, if the policy rejects the request.
        #[pin]
        future: Scoped<F>,
        rejected: Option<Rejected>,
        settings: Arc<Settings>,
        header: Option<HeaderValue>,
        access: AccessRecord,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data: 'static>,
{
    type Output = Result<Response<CorrelatedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(rejected) = this.rejected {
            let response = rejection(this.settings, this.header, this.access, *rejected);
            return Poll::Ready(Ok(response));
        }
        let mut polled = this.access.run(|| this.future.as_mut().poll(cx));
        if let Poll::Ready(Ok(response)) = &mut polled {
            access::response(this.access, response);
            if let Some(header) = this.header.take() {
                this.settings.response.set(header, response.headers_mut());
            }
        }
        polled.map_ok(|response| {
            response.map(|body| CorrelatedBody::new(this.future, mem::take(this.access), body))
        })
    }
}

#[cold]
fn rejection<B: Body<Data: 'static>>(
    settings: &Settings,
    header: &mut Option<HeaderValue>,
    access: &mut AccessRecord,
    rejected: Rejected,
) -> Response<CorrelatedBody<B>> {
    let mut response = Response::new(CorrelatedBody::text(rejected.as_str()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, TEXT);
    if let Some(header) = header.take() {
        settings.response.set(header, headers);
    }
    access.status(Rejected::STATUS);
    // It is all there already.
    access.sent(response.body().size_hint().exact().unwrap_or(0));
    access.complete();
    response
}

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}
