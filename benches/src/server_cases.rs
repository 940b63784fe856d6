//! One request through a server, in process.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use correlation_core::CorrelationId;
use correlation_tower::CorrelationLayer;
use http::{HeaderMap, Request, Response};
use tokio::runtime::{Builder, Runtime};
use tower::layer::layer_fn;
use tower::{Layer, Service, ServiceExt};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use crate::Case;
use crate::core_cases::headers;

pub(crate) fn all() -> Vec<Case> {
    let runtime = Rc::new(Builder::new_current_thread().build().expect("a runtime"));
    let router = || Router::new().route("/", get(|| async { "ok" }));
    let layer = CorrelationLayer::new;
    let peer = || {
        tower::ServiceBuilder::new()
            .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
            .layer(PropagateRequestIdLayer::x_request_id())
    };
    let mut cases = Vec::new();
    for (suffix, id) in [("absent", None), ("present", Some(CorrelationId::new()))] {
        let mut headers = headers(id.as_ref());
        if let Some(id) = &id {
            headers.insert("x-request-id", id.into());
        }
        let name = |what: &str| -> &'static str { format!("axum/{what}, {suffix}").leak() };
        let mut add = |what, service: Router| {
            cases.push(request(name(what), &runtime, &headers, service));
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
            &runtime,
            &headers,
            layer().layer(router()),
        ));
        cases.push(request(
            name("tower-http pair around the router"),
            &runtime,
            &headers,
            peer().service(router()),
        ));
    }
    cases
}

fn request<S, B>(name: &'static str, runtime: &Rc<Runtime>, headers: &HeaderMap, service: S) -> Case
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + 'static,
{
    let (runtime, headers) = (Rc::clone(runtime), headers.clone());
    let service = RefCell::new(service);
    Case::new(name, move || {
        let mut request = Request::new(Body::empty());
        *request.headers_mut() = headers.clone();
        runtime.block_on(async { service.borrow_mut().ready().await?.call(request).await })
    })
}
