//! One line when the client is built.

use correlation_core::{Targets, scope, sync_scope};
use correlation_reqwest::Propagate;
use correlation_testkit::Recorder;
use reqwest::Client;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use super::{TRACE, id, sent, traced};

fn client() -> ClientWithMiddleware {
    ClientBuilder::new(Client::new()).propagate().build()
}

#[tokio::test]
async fn the_id_and_the_trace_context_are_sent_once() {
    let server = Recorder::ok();
    // The request is begun outside of the scope, so it is the middleware that takes the ID.
    scope(traced(), client().get(server.url()).send())
        .await
        .unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.values("x-correlation-id"), ["click-1"]);
    assert_eq!(request.values("traceparent"), [TRACE]);
    assert_eq!(request.values("tracestate"), ["a=1"]);
}

#[tokio::test]
async fn the_id_is_sent_under_another_name_too_if_asked() {
    let server = Recorder::ok();
    let targets = Targets::hosts(["127.0.0.1"]).also_as("X-Request-ID");
    let client = Client::builder().propagate_to(targets).unwrap().build();
    for url in [server.url(), server.other_url()] {
        let request = sync_scope(id("click-1"), || client.get(url));
        request.send().await.unwrap();
    }
    let [own, other] = server.requests().try_into().unwrap();
    assert_eq!(own.values("x-request-id"), ["click-1"]);
    assert_eq!(other.values("x-request-id"), [""; 0]);
    assert_eq!(server.ids(), [sent("click-1"), None]);
}

#[tokio::test]
async fn outside_of_a_scope_nothing_is_sent() {
    let server = Recorder::ok();
    client().get(server.url()).send().await.unwrap();
    assert_eq!(server.ids(), [None]);
}

#[tokio::test]
async fn a_spawned_send_keeps_the_id() {
    let server = Recorder::ok();
    let send = sync_scope(id("click-1"), || {
        tokio::spawn(client().get(server.url()).send())
    });
    send.await.unwrap().unwrap();
    assert_eq!(server.ids(), [sent("click-1")]);
}

#[tokio::test]
async fn a_request_begun_elsewhere_gets_the_id_when_executed() {
    let server = Recorder::ok();
    let request = Client::new().get(server.url()).build().unwrap();
    scope(id("click-1"), client().execute(request))
        .await
        .unwrap();
    assert_eq!(server.ids(), [sent("click-1")]);
}

#[tokio::test]
async fn a_header_of_the_call_is_left_alone() {
    let server = Recorder::ok();
    let call = async {
        client()
            .get(server.url())
            .header("X-Correlation-ID", "mine")
            .send()
            .await
    };
    scope(id("click-1"), call).await.unwrap();
    assert_eq!(server.ids(), [sent("mine")]);
}

#[tokio::test]
async fn strangers_get_no_id() {
    let server = Recorder::ok();
    let port = server.port();
    for (target, expected) in [
        ("api.example.com".to_owned(), None),
        (format!("127.0.0.1:{}", port - 1), None),
        (format!("127.0.0.1:{port}"), sent("click-1")),
        ("127.0.0.1".to_owned(), sent("click-1")),
    ] {
        let client = Client::builder()
            .propagate_to(Targets::hosts([&target]))
            .unwrap()
            .build();
        scope(id("click-1"), client.get(server.url()).send())
            .await
            .unwrap();
        assert_eq!(server.ids().pop(), Some(expected), "{target}");
    }
}

#[tokio::test]
async fn a_client_that_cannot_be_built_is_an_error() {
    let invalid = Client::builder().user_agent("a\nb");
    assert!(invalid.propagate().is_err());
}
