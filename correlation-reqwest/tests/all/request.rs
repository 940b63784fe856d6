//! `.propagate()` on a plain request.

use correlation_core::scope;
use correlation_reqwest::Propagate;
use correlation_testkit::{Recorder, id};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Client};

/// What is set after it replaces it: reqwest's `headers` does, its `header` adds a line.
#[tokio::test]
async fn headers_that_are_set_later_count() {
    let server = Recorder::ok();
    let copied = HeaderMap::from_iter([(
        HeaderName::from_static("x-correlation-id"),
        HeaderValue::from_static("copied"),
    )]);
    let request = || Client::new().get(server.url());
    let call = async {
        let before = request().headers(copied.clone()).propagate();
        before.send().await.unwrap();
        let after = request().propagate().headers(copied);
        after.send().await.unwrap();
    };
    scope(id("click-1"), call).await;
    assert_eq!(server.ids(), ["click-1", "copied"]);
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
    let request = &server.calls()[0];
    assert_eq!(request.line, "PUT /");
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
