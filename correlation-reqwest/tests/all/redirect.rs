//! Redirects, beside the contract.

use correlation_core::{Targets, scope};
use correlation_reqwest::Propagate;
use correlation_testkit::{Recorder, id};
use reqwest::Client;
use reqwest::redirect::Policy;
use reqwest_middleware::ClientWithMiddleware;

/// A client that sends the ID to this machine only.
fn client() -> ClientWithMiddleware {
    let client = Client::builder().propagate_to(Targets::hosts(["127.0.0.1"]));
    client.unwrap().build()
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_is_the_answer() {
    let server = Recorder::redirect(302, "http://localhost/elsewhere");
    let response = client().get(server.url()).send().await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], "http://localhost/elsewhere");
    assert_eq!(response.url().as_str(), server.url());
}

#[tokio::test]
async fn to_all_hosts_the_policy_of_the_user_stays() {
    let server = Recorder::redirect(302, "/next");
    let client = Client::builder().redirect(Policy::none()).propagate();
    let client = client.unwrap().build();
    let response = scope(id("click-1"), client.get(server.url()).send()).await;
    assert_eq!(response.unwrap().status(), 302);
    assert_eq!(server.ids(), ["click-1"]);
}

#[tokio::test]
async fn a_body_is_sent_again() {
    let server = Recorder::start(|request| match request.line.as_str() {
        "POST /" => "307 Go\r\nLocation: /next".to_owned(),
        _ => "200 OK".to_owned(),
    });
    let call = client().post(server.url()).body("three");
    let response = scope(id("click-1"), call.send()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(server.ids(), ["click-1"; 2]);
    assert!(
        server
            .calls()
            .iter()
            .all(|request| request.body == b"three")
    );
    assert_eq!(server.calls()[1].line, "POST /next");
}

#[tokio::test]
async fn a_loop_ends_after_10_redirects() {
    let server = Recorder::redirect(302, "/");
    let error = client().get(server.url()).send().await.unwrap_err();
    assert!(error.is_redirect(), "{error:?}");
    assert_eq!(server.calls().len(), 11);
}

/// The first host decides whether there is an ID that could get lost on the way.
#[tokio::test]
async fn a_call_without_the_id_leaves_a_target_again() {
    let last = Recorder::ok();
    let target = Recorder::redirect(302, last.other_url());
    let first = Recorder::redirect(302, target.url());
    let call = client().get(first.other_url()).send();
    let response = scope(id("click-1"), call).await.unwrap();
    assert_eq!(response.status(), 200);
    for server in [first, target, last] {
        assert_eq!(server.ids(), ["-"]);
    }
}
