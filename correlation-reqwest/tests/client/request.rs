//! `.propagate()` on a plain request.

use correlation_core::{Targets, scope, sync_scope};
use correlation_reqwest::Propagate;
use correlation_testkit::Recorder;
use reqwest::{Body, Client};

use super::{TRACE, id, sent, traced};

#[tokio::test]
async fn a_request_gets_the_id_of_the_moment() {
    let server = Recorder::ok();
    let request = sync_scope(traced(), || Client::new().get(server.url()).propagate());
    // It is in the request now, wherever that is sent from.
    scope(id("click-2"), request.send()).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.values("x-correlation-id"), ["click-1"]);
    assert_eq!(request.values("traceparent"), [TRACE]);
    assert_eq!(request.values("tracestate"), ["a=1"]);
}

#[tokio::test]
async fn the_id_is_sent_under_another_name_too_if_asked() {
    let server = Recorder::ok();
    let targets = Targets::hosts(["127.0.0.1"]).also_as("X-Request-ID");
    for url in [server.url(), server.other_url()] {
        let request = Client::new().get(url);
        let request = sync_scope(id("click-1"), || request.propagate_to(targets.clone()));
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
    let client = Client::new();
    client.get(server.url()).propagate().send().await.unwrap();
    assert_eq!(server.ids(), [None]);
}

#[tokio::test]
async fn a_header_of_the_caller_is_left_alone() {
    let server = Recorder::ok();
    let request = || Client::new().get(server.url());
    let call = async {
        // Before and after: reqwest's `header` adds a line, `headers` replaces it.
        let mine = [("x-correlation-id", "mine"), ("traceparent", "own")];
        let mine = mine.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let mine: reqwest::header::HeaderMap = mine.into_iter().collect();
        let before = request().headers(mine.clone()).propagate();
        let after = request().propagate().headers(mine);
        before.send().await.unwrap();
        after.send().await.unwrap();
    };
    scope(traced(), call).await;
    assert_eq!(server.ids(), [sent("mine"), sent("mine")]);
    for request in server.requests() {
        assert_eq!(request.values("traceparent"), ["own"]);
    }
    assert!(server.requests()[0].values("tracestate").is_empty());
}

#[tokio::test]
async fn everything_else_of_the_request_stays() {
    let server = Recorder::ok();
    let call = async {
        let body = Body::wrap("three".to_owned());
        let streamed = Client::new().put(server.url()).body(body);
        assert!(
            streamed.try_clone().is_none(),
            "a body of which there is one"
        );
        let request = streamed
            .header("accept", "text/plain")
            .basic_auth("me", Some("secret"))
            .propagate();
        request.send().await.unwrap();
    };
    scope(id("click-1"), call).await;
    let request = &server.requests()[0];
    assert_eq!(request.line, "PUT / HTTP/1.1");
    assert_eq!(request.values("accept"), ["text/plain"]);
    assert_eq!(request.values("authorization"), ["Basic bWU6c2VjcmV0"]);
    assert_eq!(request.values("x-correlation-id"), ["click-1"]);
    assert_eq!(request.body, b"three");
}

#[tokio::test]
async fn an_error_of_the_builder_is_what_send_reports() {
    let client = Client::new();
    let broken = || {
        [
            client.get("no URL"),
            client.get("http://h/").header("a", "\n"),
        ]
    };
    for (plain, propagated) in broken().into_iter().zip(broken()) {
        let expected = format!("{:?}", plain.send().await.unwrap_err());
        let call = async { propagated.propagate().send().await };
        let error = scope(id("click-1"), call).await.unwrap_err();
        assert_eq!(format!("{error:?}"), expected);
    }
}

#[tokio::test]
async fn strangers_get_no_id() {
    let server = Recorder::ok();
    let port = server.port();
    for (target, expected) in [
        ("localhost".to_owned(), None),
        (format!("127.0.0.1:{}", port - 1), None),
        (format!("127.0.0.1:{port}"), sent("click-1")),
    ] {
        let targets = Targets::hosts([&target]);
        let call = async {
            Client::new()
                .get(server.url())
                .propagate_to(targets)
                .send()
                .await
        };
        scope(id("click-1"), call).await.unwrap();
        assert_eq!(server.ids().pop(), Some(expected), "{target}");
    }
}
