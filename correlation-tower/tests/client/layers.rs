//! Layers that call more than once, or somewhere else.

use std::future::{Ready, ready};

use correlation_core::{scope, sync_scope};
use correlation_testkit::Recorder;
use correlation_tower::PropagateLayer;
use http::{Request, Response};
use tower::buffer::BufferLayer;
use tower::retry::{Policy, RetryLayer};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use super::{Body, get, hyper, id, sent};

/// Tries again as long as the server is in trouble.
#[derive(Clone)]
struct Again;

impl<B, E> Policy<Request<Body>, Response<B>, E> for Again {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        result: &mut Result<Response<B>, E>,
    ) -> Option<Self::Future> {
        let failed = matches!(result, Ok(response) if response.status().is_server_error());
        failed.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn every_attempt_has_the_id() {
    let server = Recorder::flaky();
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new(Again))
        .layer(PropagateLayer::new())
        .service(hyper());
    let call = client.oneshot(get(server.url()));
    scope(id("click-1"), call).await.unwrap();
    assert_eq!(server.ids(), ["click-1"; 3].map(sent));
}

#[tokio::test]
async fn retries_inside_have_the_id_of_the_call() {
    let server = Recorder::flaky();
    let mut client = ServiceBuilder::new()
        .layer(PropagateLayer::new())
        .layer(RetryLayer::new(Again))
        .service(hyper());
    let client = client.ready().await.unwrap();
    let response = sync_scope(id("click-1"), || client.call(get(server.url())));
    scope(id("click-2"), response).await.unwrap();
    assert_eq!(server.ids(), ["click-1"; 3].map(sent));
}

#[tokio::test]
async fn the_id_goes_through_a_buffer() {
    let server = Recorder::ok();
    let client = ServiceBuilder::new()
        .layer(PropagateLayer::new())
        .layer(BufferLayer::new(1))
        .map_err(BoxError::from)
        .service(hyper());
    let call = client.oneshot(get(server.url()));
    scope(id("click-1"), call).await.unwrap();
    assert_eq!(server.ids(), [sent("click-1")]);
}

/// The control: what the documentation warns of.
#[tokio::test]
async fn inside_of_a_buffer_there_is_no_id() {
    let server = Recorder::ok();
    let client = ServiceBuilder::new()
        .layer(BufferLayer::new(1))
        .layer(PropagateLayer::new())
        .map_err(BoxError::from)
        .service(hyper());
    let call = client.oneshot(get(server.url()));
    scope(id("click-1"), call).await.unwrap();
    assert_eq!(server.ids(), [None]);
}
