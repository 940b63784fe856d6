//! Layers that call more than once, or somewhere else.

use std::future::{Ready, ready};

use correlation_core::{scope, sync_scope};
use correlation_testkit::{Recorder, client_contract, id};
use correlation_tower::PropagateLayer;
use http::{Request, Response};
use tower::buffer::BufferLayer;
use tower::retry::{Policy, RetryLayer};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

use super::client::{Body, Boxed, Layers, Tower, get, hyper, status};

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

struct RetriesOutside;

impl Layers for RetriesOutside {
    fn client(propagate: PropagateLayer) -> Boxed {
        let client = ServiceBuilder::new()
            .map_response(status)
            .map_err(BoxError::from)
            .layer(RetryLayer::new(Again))
            .layer(propagate);
        Boxed::new(client.service(hyper()))
    }
}

struct RetriesInside;

impl Layers for RetriesInside {
    fn client(propagate: PropagateLayer) -> Boxed {
        let client = ServiceBuilder::new()
            .map_response(status)
            .map_err(BoxError::from)
            .layer(propagate)
            .layer(RetryLayer::new(Again));
        Boxed::new(client.service(hyper()))
    }
}

#[tokio::test]
async fn every_attempt_has_the_id() {
    client_contract::run_retries::<Tower<RetriesOutside>>().await;
    client_contract::run_retries::<Tower<RetriesInside>>().await;
}

#[tokio::test]
async fn retries_inside_have_the_id_of_the_call_wherever_it_is_awaited() {
    let server = Recorder::flaky();
    let mut client = ServiceBuilder::new()
        .layer(PropagateLayer::new())
        .layer(RetryLayer::new(Again))
        .service(hyper());
    let client = client.ready().await.unwrap();
    let response = sync_scope(id("click-1"), || client.call(get(server.url())));
    scope(id("click-2"), response).await.unwrap();
    assert_eq!(server.ids(), ["click-1"; 3]);
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
    assert_eq!(server.ids(), ["-"]);
}

/// The control: what the documentation warns of.
#[tokio::test]
async fn outside_of_redirects_the_id_goes_anywhere() {
    let stranger = Recorder::ok();
    let server = Recorder::redirect(302, stranger.other_url());
    let targets = correlation_core::Targets::hosts(["127.0.0.1"]);
    let client = ServiceBuilder::new()
        .layer(PropagateLayer::new().targets(targets))
        .layer(FollowRedirectLayer::new())
        .service(hyper());
    let call = client.oneshot(get(server.url()));
    scope(id("click-1"), call).await.unwrap();
    assert_eq!(stranger.ids(), ["click-1"]);
}
