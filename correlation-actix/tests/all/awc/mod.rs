//! What `awc` sends, as read from the socket.

mod contract;
mod redirect;

use std::future::{Future, Ready, ready};
use std::task::{Context, Poll};

use actix_http::RequestHead;
use actix_web::dev::Service;
use actix_web::rt;
use awc::error::SendRequestError;
use awc::http::header::{HeaderName, HeaderValue};
use awc::middleware::Transform;
use awc::{Client, ConnectRequest, ConnectResponse};
use correlation_actix::Propagate;
use correlation_actix::correlation::{InCurrent, Targets, scope, sync_scope};
use correlation_testkit::{Recorder, id};
use futures_util::future::join_all;

fn client() -> Client {
    Client::builder().wrap(Propagate::new()).finish()
}

/// A client that sends the ID to this machine only.
fn restricted() -> Client {
    let propagate = Propagate::new().targets(Targets::hosts(["127.0.0.1"]));
    Client::builder().wrap(propagate).finish()
}

fn in_scope<F: Future>(future: F) -> impl Future<Output = F::Output> {
    scope(id("click-1"), future)
}

#[actix_web::test]
async fn the_id_is_the_one_of_the_call() {
    let server = Recorder::ok();
    let client = client();
    // Begun in one scope, sent in another, awaited in a third.
    let request = sync_scope(id("click-1"), || client.get(server.url()));
    let response = sync_scope(id("click-2"), || request.send());
    scope(id("click-3"), response).await.unwrap();
    client.get(server.url()).send().await.unwrap();
    assert_eq!(server.ids(), ["click-2", "-"]);
}

#[actix_web::test]
async fn a_task_of_its_own_has_the_id_that_it_was_given() {
    let server = Recorder::ok();
    let client = client();
    let url = server.url();
    let call = async move { client.get(url).send().await.map(drop) };
    let task = sync_scope(id("click-1"), || rt::spawn(call.in_current()));
    task.await.unwrap().unwrap();
    assert_eq!(server.ids(), ["click-1"]);
}

#[actix_web::test]
async fn a_frozen_request_has_a_body_and_the_id_of_each_call() {
    let server = Recorder::ok();
    let frozen = client().get(server.url()).freeze().unwrap();
    for text in ["click-1", "click-2"] {
        let call = async { frozen.send_body("three").await };
        scope(id(text), call).await.unwrap();
    }
    assert_eq!(server.ids(), ["click-1", "click-2"]);
    assert_eq!(server.calls()[1].body, b"three");
}

/// Also over what is shared by its calls, and what is added for one of them.
#[actix_web::test]
async fn a_frozen_request_keeps_its_other_headers() {
    let server = Recorder::ok();
    let name = HeaderName::from_static("x-correlation-id");
    let plain = client().get(server.url()).freeze().unwrap();
    let mine = client()
        .get(server.url())
        .insert_header((name.clone(), "mine"))
        .insert_header(("a", "mine"))
        .freeze()
        .unwrap();
    let extra = (name, HeaderValue::from_static("extra"));
    in_scope(async {
        mine.send().await.unwrap();
        mine.extra_header(extra.clone()).send().await.unwrap();
        mine.extra_header(("a", "b")).send().await.unwrap();
        plain.extra_header(extra).send().await.unwrap();
    })
    .await;
    mine.send().await.unwrap();
    let expected = ["click-1", "click-1", "click-1", "click-1", "mine"];
    assert_eq!(server.ids(), expected);
    let requests = server.calls();
    let others: Vec<_> = requests.iter().map(|request| request.values("a")).collect();
    assert_eq!(others, [&["mine"][..], &["mine"], &["b"], &[], &["mine"]]);
}

#[actix_web::test]
async fn a_web_socket_is_opened_with_the_id() {
    let server = Recorder::ok();
    let client = restricted();
    in_scope(async {
        for url in [server.url(), server.other_url()] {
            // The server answers 200, so the socket stays closed.
            let url = url.replace("http:", "ws:");
            assert!(client.ws(url).connect().await.is_err());
        }
        let mine = client
            .ws(server.url())
            .set_header("x-correlation-id", "mine");
        assert!(mine.connect().await.is_err());
    })
    .await;
    assert_eq!(server.calls()[0].values("upgrade"), ["websocket"]);
    assert_eq!(server.ids(), ["click-1", "-", "click-1"]);
}

/// A client cannot leave its thread, so the calls are tasks.
#[actix_web::test]
async fn no_call_has_the_id_of_another() {
    let server = Recorder::two_hops();
    let client = client();
    let calls = (0..200).map(|call| {
        let request = client.get(format!("{}first/{call}", server.url()));
        let send = async move { request.send().await.map(|response| response.status()) };
        rt::spawn(scope(id(&format!("click-{call}")), send))
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    server.assert_none_crossed(200);
}

/// All calls in one task, which has an ID of its own: what a redirect leaves for its next hop is
/// found by that hop alone.
#[actix_web::test]
async fn no_call_of_one_task_has_the_id_of_another() {
    let server = Recorder::two_hops();
    let client = client();
    let calls = (0..200).map(|call| {
        let request = client.get(format!("{}first/{call}", server.url()));
        sync_scope(id(&format!("click-{call}")), || request.send())
    });
    let responses = scope(id("click-other"), join_all(calls)).await;
    assert!(responses.into_iter().all(|response| response.is_ok()));
    server.assert_none_crossed(200);
}

#[actix_web::test]
async fn a_call_that_fails_is_an_error_as_ever() {
    in_scope(async {
        assert!(client().get("http://127.0.0.1:1/").send().await.is_err());
        assert!(client().get("/no/host").send().await.is_err());
    })
    .await;
}

#[test]
fn debug_output_shows_no_request() {
    #[derive(Debug)]
    struct Inner;
    impl Service<ConnectRequest> for Inner {
        type Response = ConnectResponse;
        type Error = SendRequestError;
        type Future = Ready<Result<ConnectResponse, SendRequestError>>;

        fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), SendRequestError>> {
            Poll::Ready(Ok(()))
        }

        fn call(&self, _: ConnectRequest) -> Self::Future {
            ready(Err(SendRequestError::Timeout))
        }
    }
    let middleware = Propagate::new().new_transform(Inner);
    let shown = format!("{middleware:?}");
    assert!(shown.ends_with("redirects: Redirects { .. } }"), "{shown}");
    let call = middleware.call(ConnectRequest::Tunnel(RequestHead::default(), None));
    assert_eq!(format!("{call:?}"), "PropagateFuture { .. }");
}
