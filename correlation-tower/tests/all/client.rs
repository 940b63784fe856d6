//! What hyper-util's client sends, as read from the socket.

use bytes::Bytes;
use correlation_core::{Targets, scope, sync_scope};
use correlation_testkit::client_contract::{self, Error, Redirects, Takes};
use correlation_testkit::{Recorder, id};
use correlation_tower::PropagateLayer;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Handle;
use tower::buffer::BufferLayer;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::follow_redirect::FollowRedirectLayer;

pub(crate) type Body = Full<Bytes>;

type Hyper = Client<HttpConnector, Body>;

pub(crate) fn hyper() -> Hyper {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn get(url: impl AsRef<str>) -> Request<Body> {
    Request::get(url.as_ref()).body(Body::default()).unwrap()
}

/// A client as the documentation has it: each hop of a redirect passes the layer. What else is
/// around it and inside of it is for the tests to say.
pub(crate) type Boxed = BoxCloneSyncService<Request<Body>, u16, BoxError>;

pub(crate) trait Layers {
    fn client(propagate: PropagateLayer) -> Boxed;
}

pub(crate) struct Tower<L>(Boxed, std::marker::PhantomData<fn() -> L>);

impl<L: Layers> client_contract::Client for Tower<L> {
    const TAKES: Takes = Takes::Sent;
    const REDIRECTS: Redirects = Redirects::Each;

    type Request = (Boxed, Request<Body>);

    fn new(targets: Targets) -> Self {
        let propagate = PropagateLayer::new().targets(targets);
        Self(L::client(propagate), std::marker::PhantomData)
    }

    fn begin(&self, url: &str, lines: &[(&'static str, &'static str)]) -> Self::Request {
        let mut request = get(url);
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let value = HeaderValue::from_static(value);
            request.headers_mut().append(name, value);
        }
        (self.0.clone(), request)
    }

    fn again(request: &Self::Request) -> Self::Request {
        request.clone()
    }

    async fn send((client, request): Self::Request) -> Result<u16, Error> {
        let answer = client.oneshot(request).await;
        answer.map_err(|error| error as Error)
    }
}

/// The status of an answer is all that the contract looks at.
#[expect(clippy::needless_pass_by_value, reason = "as `map_response` calls it")]
pub(crate) fn status<B>(response: Response<B>) -> u16 {
    response.status().as_u16()
}

struct Plain;

impl Layers for Plain {
    fn client(propagate: PropagateLayer) -> Boxed {
        let client = ServiceBuilder::new()
            .map_response(status)
            .map_err(BoxError::from)
            .layer(FollowRedirectLayer::new())
            .layer(propagate);
        Boxed::new(client.service(hyper()))
    }
}

struct Buffered;

impl Layers for Buffered {
    fn client(propagate: PropagateLayer) -> Boxed {
        let client = ServiceBuilder::new()
            .map_response(status)
            .layer(FollowRedirectLayer::new())
            .layer(propagate)
            .layer(BufferLayer::new(8))
            .map_err(BoxError::from);
        Boxed::new(client.service(hyper()))
    }
}

#[tokio::test]
async fn contract() {
    client_contract::run::<Tower<Plain>>().await;
}

#[tokio::test]
async fn contract_through_a_buffer() {
    client_contract::run::<Tower<Buffered>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_has_the_id_of_another() {
    let runtime = Handle::current();
    client_contract::run_on_threads::<Tower<Plain>>(|call| runtime.block_on(call));
    client_contract::run_on_threads::<Tower<Buffered>>(|call| runtime.block_on(call));
}

#[tokio::test]
async fn the_id_is_the_one_of_the_call() {
    let server = Recorder::ok();
    let mut client = PropagateLayer::new().layer(hyper());
    let client = client.ready().await.unwrap();
    let response = sync_scope(id("click-1"), || client.call(get(server.url())));
    scope(id("click-2"), response).await.unwrap();
    assert_eq!(server.ids(), ["click-1"]);
}

/// What cannot be checked does not pass a restriction, whatever the `Host` header says.
#[tokio::test]
async fn a_path_alone_needs_a_connection() {
    let client = service_fn(|request: Request<Body>| async move {
        let id = request.headers().get("x-correlation-id").cloned();
        Ok::<_, std::convert::Infallible>(Response::new(id))
    });
    let targets = Targets::hosts([".internal"]);
    for (targets, expected) in [
        (Targets::all(), Some("click-1")),
        (targets.clone(), None),
        (targets.clone().connected_to("evil.test"), None),
        (targets.connected_to("orders.internal"), Some("click-1")),
    ] {
        let layer = PropagateLayer::new().targets(targets);
        let mut request = get("/orders");
        let host = "orders.internal".parse().unwrap();
        request.headers_mut().insert("host", host);
        let call = layer.layer(client).oneshot(request);
        let response = scope(id("click-1"), call).await.unwrap();
        assert_eq!(
            response.into_body().as_ref().map(|id| id.to_str().unwrap()),
            expected
        );
    }
}
