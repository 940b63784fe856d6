//! Where the ID goes when a server sends the client elsewhere.

use correlation_core::{Targets, scope};
use correlation_reqwest::{Propagate, redirect_policy};
use correlation_testkit::Recorder;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use reqwest_middleware::ClientWithMiddleware;

use super::{id, sent};

/// A client that sends the ID to this server only.
fn client(server: &Recorder) -> ClientWithMiddleware {
    let target = format!("127.0.0.1:{}", server.port());
    let client = Client::builder().propagate_to(Targets::hosts([target]));
    client.unwrap().build()
}

async fn get(client: &ClientWithMiddleware, url: String) -> reqwest_middleware::Result<Response> {
    scope(id("click-1"), async { client.get(url).send().await }).await
}

/// The control: this is what happens without a policy, and what the other tests would miss.
#[tokio::test]
async fn by_itself_reqwest_carries_the_id_anywhere() {
    let stranger = Recorder::ok();
    let server = Recorder::redirect(302, stranger.other_url());
    let client = Client::builder().propagate().unwrap().build();
    get(&client, server.url()).await.unwrap();
    assert_eq!(stranger.ids(), [sent("click-1")]);
}

#[tokio::test]
async fn no_redirect_out_of_the_targets_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        // Another host and port, another port, another host.
        let stranger = Recorder::ok();
        for location in [
            stranger.other_url(),
            stranger.url(),
            stranger.url().replace("http:", ""),
            "http://127.0.0.1/".to_owned(),
            format!("http://me@localhost:{}/?127.0.0.1", stranger.port()),
        ] {
            let server = Recorder::redirect(status, &location);
            let response = get(&client(&server), server.url()).await.unwrap();
            assert_eq!(response.status(), status, "{location}");
            assert_eq!(response.headers()["location"], location.as_str());
            assert_eq!(server.ids(), [sent("click-1")]);
        }
        assert!(stranger.requests().is_empty(), "nobody called {stranger:?}");
    }
}

#[tokio::test]
async fn to_all_hosts_the_policy_of_the_user_stays() {
    let server = Recorder::redirect(302, "/next");
    let client = Client::builder().redirect(Policy::none()).propagate();
    let response = get(&client.unwrap().build(), server.url()).await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(server.ids(), [sent("click-1")]);
}

#[tokio::test]
async fn a_plain_request_is_held_back_by_the_policy_too() {
    let stranger = Recorder::ok();
    let server = Recorder::redirect(302, stranger.other_url());
    let targets = Targets::hosts(["127.0.0.1"]);
    let client = Client::builder()
        .redirect(redirect_policy(targets.clone()))
        .build()
        .unwrap();
    let call = async { client.get(server.url()).propagate_to(targets).send().await };
    let response = scope(id("click-1"), call).await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(server.ids(), [sent("click-1")]);
    assert!(stranger.requests().is_empty());
}

#[tokio::test]
async fn a_way_out_over_a_target_is_closed_too() {
    let stranger = Recorder::ok();
    let elsewhere = stranger.other_url();
    let server = Recorder::start(move |request| match request.line.as_str() {
        "GET / HTTP/1.1" => "302 Go\r\nLocation: /next\r\n".to_owned(),
        _ => format!("302 Go\r\nLocation: {elsewhere}\r\n"),
    });
    let response = get(&client(&server), server.url()).await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.url().path(), "/next");
    assert_eq!(server.ids(), [sent("click-1"), sent("click-1")]);
    assert!(stranger.requests().is_empty());
}

#[tokio::test]
async fn among_strangers_redirects_are_followed_without_the_id() {
    let target = Recorder::ok();
    let third = Recorder::redirect(302, target.url());
    let second = Recorder::redirect(302, third.other_url());
    let first = Recorder::redirect(302, second.url());
    let response = get(&client(&target), first.other_url()).await.unwrap();
    assert_eq!(response.status(), 200);
    for server in [first, second, third, target] {
        assert_eq!(server.ids(), [None]);
    }
}

#[tokio::test]
async fn a_redirect_within_the_targets_has_the_id_on_every_hop() {
    for location in ["/next", "next", "?page=2"] {
        let server = Recorder::start(move |request| match request.line.as_str() {
            "GET / HTTP/1.1" => format!("302 Go\r\nLocation: {location}\r\n"),
            _ => "200 OK\r\n".to_owned(),
        });
        let response = get(&client(&server), server.url()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(server.ids(), [sent("click-1"), sent("click-1")]);
    }
}

#[tokio::test]
async fn a_body_is_sent_again() {
    let server = Recorder::start(|request| match request.line.as_str() {
        "POST / HTTP/1.1" => "307 Go\r\nLocation: /next\r\n".to_owned(),
        _ => "200 OK\r\n".to_owned(),
    });
    let client = client(&server);
    let call = async { client.post(server.url()).body("three").send().await };
    let response = scope(id("click-1"), call).await.unwrap();
    assert_eq!(response.status(), 200);
    for request in server.requests() {
        assert_eq!(request.body, b"three");
        assert_eq!(request.values("x-correlation-id"), ["click-1"]);
    }
    assert_eq!(server.requests()[1].line, "POST /next HTTP/1.1");
}

#[tokio::test]
async fn a_loop_ends_after_10_redirects() {
    let server = Recorder::redirect(302, "/");
    let error = get(&client(&server), server.url()).await.unwrap_err();
    assert!(error.is_redirect(), "{error:?}");
    assert_eq!(server.requests().len(), 11);
}
