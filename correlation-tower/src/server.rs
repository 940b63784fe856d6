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
use correlation_core::{Policy, Scoped, sync_scope};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{CorrelatedBody, access, peer};

/// Gives every request its correlation ID. A server needs no other layer for that.
///
/// The layer reads or makes the ID and sets the response header. It runs the inner service in the
/// scope of the request: the synchronous part of `call`, the future and the response body. Put it
/// outermost, because a layer outside it has no ID.
///
/// Behind a `tower::buffer`, a second `CorrelationLayer` finds no scope and makes a second ID. To
/// avoid that, give the outer layer the policy [`rewrite_request`](Policy::rewrite_request).
///
/// ```
/// use correlation_tower::CorrelationLayer;
/// use correlation_tower::correlation::{Policy, Trust};
///
/// let policy = Policy::new().trust(Trust::networks(["10.0.0.0/8"]));
/// let layer = CorrelationLayer::new().policy(policy);
/// # drop(layer);
/// ```
#[derive(Clone, Debug, Default)]
pub struct CorrelationLayer {
    settings: Arc<Settings>,
}

/// A policy, and its header names in the form that header maps need.
#[derive(Debug)]
struct Settings {
    policy: Policy,
    response: ResponseHeaders,
    /// The request header that gets the ID, if the policy rewrites requests.
    rewritten: Option<HeaderName>,
}

impl CorrelationLayer {
    /// Makes a layer with the default [`Policy`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the rules for inbound requests.
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

/// A service whose requests have a correlation ID. [`CorrelationLayer`] makes it.
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
            sync_scope(decision.into_context(), || drop(request));
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
        // Inner services do work before they return their future. That work is in scope too.
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
        // It has already ended if the policy rejects the request.
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
        match &mut polled {
            Poll::Ready(Ok(response)) => {
                access::response(this.access, response);
                if let Some(header) = this.header.take() {
                    this.settings.response.set(header, response.headers_mut());
                }
            }
            Poll::Ready(Err(_)) => this.access.failed(),
            Poll::Pending => {}
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
    // The whole body is already there.
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
