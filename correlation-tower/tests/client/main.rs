//! What hyper-util's client sends, as read from the socket.

mod concurrent;
mod layers;
mod redirect;

use bytes::Bytes;
use correlation_core::{Context, CorrelationId, Policy, scope, sync_scope};
use correlation_testkit::Recorder;
use correlation_tower::{PropagateLayer, Targets};
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tower::{Layer, Service, ServiceExt, service_fn};

type Body = Full<Bytes>;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn hyper() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Sends the ID to this server only.
fn layer_for(server: &Recorder) -> PropagateLayer {
    let target = format!("127.0.0.1:{}", server.port());
    PropagateLayer::new().targets(Targets::hosts([target]))
}

fn get(url: impl AsRef<str>) -> Request<Body> {
    Request::get(url.as_ref()).body(Body::default()).unwrap()
}

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

/// The context of a request that came in with an ID and a trace.
fn traced() -> Context {
    let headers = [
        ("x-correlation-id", "click-1"),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
    ];
    let lines = headers.map(|(name, value)| (name, value.as_bytes()));
    Policy::new().receive(|| lines, None).unwrap()
}

fn sent(id: &str) -> Option<String> {
    Some(id.to_owned())
}

#[tokio::test]
async fn the_id_and_the_trace_context_are_sent_once() {
    let server = Recorder::ok();
    let client = PropagateLayer::new().layer(hyper());
    let call = client.clone().oneshot(get(server.url()));
    scope(traced(), call).await.unwrap();
    client.oneshot(get(server.url())).await.unwrap();
    assert_eq!(server.ids(), [sent("click-1"), None]);
    let request = &server.requests()[0];
    assert_eq!(request.values("traceparent"), [TRACE]);
    assert_eq!(request.values("tracestate"), ["a=1"]);
}

#[tokio::test]
async fn the_id_is_the_one_of_the_call() {
    let server = Recorder::ok();
    let mut client = PropagateLayer::new().layer(hyper());
    let client = client.ready().await.unwrap();
    let response = sync_scope(id("click-1"), || client.call(get(server.url())));
    scope(id("click-2"), response).await.unwrap();
    assert_eq!(server.ids(), [sent("click-1")]);
}

#[tokio::test]
async fn a_header_of_the_call_is_left_alone() {
    let server = Recorder::ok();
    let mut request = get(server.url());
    let headers = request.headers_mut();
    headers.insert("x-correlation-id", "mine".parse().unwrap());
    headers.insert("traceparent", "own".parse().unwrap());
    let call = PropagateLayer::new().layer(hyper()).oneshot(request);
    scope(traced(), call).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.values("x-correlation-id"), ["mine"]);
    assert_eq!(request.values("traceparent"), ["own"]);
    assert_eq!(request.values("tracestate"), [""; 0]);
}

#[tokio::test]
async fn the_id_is_sent_under_another_name_too_if_asked() {
    let server = Recorder::ok();
    let targets = Targets::hosts(["127.0.0.1"]).also_as("X-Request-ID");
    let client = PropagateLayer::new().targets(targets).layer(hyper());
    for url in [server.url(), server.other_url()] {
        let call = client.clone().oneshot(get(url));
        scope(id("click-1"), call).await.unwrap();
    }
    let [own, other] = server.requests().try_into().unwrap();
    assert_eq!(own.values("x-request-id"), ["click-1"]);
    assert_eq!(other.values("x-request-id"), [""; 0]);
    assert_eq!(server.ids(), [sent("click-1"), None]);
}

#[tokio::test]
async fn strangers_get_no_id() {
    let server = Recorder::ok();
    let other = Recorder::ok();
    let client = layer_for(&server).layer(hyper());
    for url in [server.url(), server.other_url(), other.url()] {
        let call = client.clone().oneshot(get(url));
        scope(id("click-1"), call).await.unwrap();
    }
    assert_eq!(server.ids(), [sent("click-1"), None]);
    assert_eq!(other.ids(), [None]);
}

#[tokio::test]
async fn a_path_alone_has_no_stranger() {
    let client = service_fn(|request: Request<Body>| async move {
        let id = request.headers().get("x-correlation-id").cloned();
        Ok::<_, std::convert::Infallible>(Response::new(id))
    });
    let layer = PropagateLayer::new().targets(Targets::hosts(["api.example.com"]));
    let call = layer.layer(client).oneshot(get("/orders"));
    let response = scope(id("click-1"), call).await.unwrap();
    assert_eq!(response.into_body().unwrap(), "click-1");
}
