//! One request through a server, in process.

use std::convert::Infallible;
use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use correlation_core::CorrelationId;
use correlation_tower::CorrelationLayer;
use http::{HeaderMap, Request, Response};
use tower::layer::layer_fn;
use tower::{Layer, Service};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use crate::Case;
use crate::core_cases::headers;

pub(crate) fn all() -> Vec<Case> {
    let router = || Router::new().route("/", get(|| async { "ok" }));
    let layer = CorrelationLayer::new;
    let peer = || {
        tower::ServiceBuilder::new()
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
            .layer(PropagateRequestIdLayer::x_request_id())
    };
    let mut cases = Vec::new();
    for (suffix, id) in [("absent", None), ("present", Some(CorrelationId::new()))] {
        // The one name that all of them read.
        let mut headers = headers(None);
        if let Some(id) = &id {
            headers.insert("x-request-id", id.into());
        }
        let name = |what: &str| -> &'static str { format!("axum/{what}, {suffix}").leak() };
        let mut add = |what, service: Router| {
            cases.push(request(name(what), &headers, service));
        };
        add("bare router", router());
        add(
            "identity in Router::layer",
            router().layer(layer_fn(|inner| inner)),
        );
        add("ours in Router::layer", router().layer(layer()));
        add("tower-http pair in Router::layer", router().layer(peer()));
        cases.push(request(
            name("ours around the router"),
            &headers,
            layer().layer(router()),
        ));
        cases.push(request(
            name("tower-http pair around the router"),
            &headers,
            peer().service(router()),
        ));
    }
    cases
}

fn request<S, B>(name: &'static str, headers: &HeaderMap, mut service: S) -> Case
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + 'static,
{
    let headers = headers.clone();
    Case::new(name, move || {
        let mut request = Request::new(Body::empty());
        *request.headers_mut() = headers.clone();
        // Without a runtime, whose own moves of a future would be counted with it.
        let mut cx = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        match pin!(service.call(request)).poll(&mut cx) {
            Poll::Ready(Ok(response)) => response,
            Poll::Pending => unreachable!("nothing here waits"),
        }
    })
}
