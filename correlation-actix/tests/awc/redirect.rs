//! Where the ID goes when a server sends the client elsewhere.

use std::pin::pin;

use awc::Client;
use awc::middleware::Redirect;
use correlation_actix::{Propagate, Targets, scope, sync_scope};
use correlation_testkit::Recorder;

use super::{client, client_for, id, in_scope, sent};

#[actix_web::test]
async fn every_hop_is_checked() {
    for status in [301, 302, 303, 307, 308] {
        let stranger = Recorder::ok();
        // Another host and port, another port.
        for location in [
            stranger.other_url(),
            stranger.url(),
            stranger.url().replace("http:", ""),
            // It looks like the target to whoever does not read it as the client does.
            stranger.other_url().replace("//", "//127.0.0.1@"),
            stranger.url().replace("127.0.0.1", "[::ffff:127.0.0.1]"),
            stranger.url().replace("127.0.0.1", "127.1"),
        ] {
            let server = Recorder::redirect(status, location);
            let call = async { client_for(&server).get(server.url()).send().await };
            let response = in_scope(call).await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(server.ids(), [sent("click-1")]);
        }
        assert_eq!(stranger.ids(), [const { None }; 6]);
    }
}

#[actix_web::test]
async fn the_id_is_back_when_a_redirect_comes_back() {
    let server = Recorder::start(|request| match request.line.as_str() {
        "GET / HTTP/1.1" => "302 Go\r\nLocation: /next\r\n".to_owned(),
        _ => "200 OK\r\n".to_owned(),
    });
    let stranger = Recorder::redirect(302, server.url());
    let client = client_for(&server);
    in_scope(async { client.get(stranger.other_url()).send().await })
        .await
        .unwrap();
    assert_eq!(stranger.ids(), [None]);
    assert_eq!(server.ids(), [sent("click-1"), sent("click-1")]);
}

#[actix_web::test]
async fn every_hop_has_the_id_of_the_call() {
    let last = Recorder::ok();
    let elsewhere = last.other_url();
    let server = Recorder::start(move |request| match request.line.as_str() {
        "POST / HTTP/1.1" => "307 Go\r\nLocation: /next\r\n".to_owned(),
        _ => format!("302 Go\r\nLocation: {elsewhere}\r\n"),
    });
    let client = client();
    let response = sync_scope(id("click-1"), || {
        client.post(server.url()).send_body("three")
    });
    scope(id("click-2"), response).await.unwrap();
    let response = sync_scope(id("click-1"), || client.post(server.url()).send());
    response.await.unwrap();
    assert_eq!(server.requests()[1].body, b"three");
    assert_eq!(server.ids(), ["click-1"; 4].map(sent));
    assert_eq!(last.ids(), ["click-1"; 2].map(sent));

    // A call outside of any scope takes none from where it is awaited.
    let response = client.post(server.url()).send();
    in_scope(response).await.unwrap();
    assert_eq!(server.ids()[4..], [None, None]);
    assert_eq!(last.ids()[2..], [None]);
}

/// However the server writes where to go on.
#[actix_web::test]
async fn a_hop_has_the_id_of_the_call_wherever_it_leads() {
    let last = Recorder::ok();
    for location in [
        "/next".to_owned(),
        "next".to_owned(),
        "next/page".to_owned(),
        "?page=2".to_owned(),
        "/?next=http://localhost/".to_owned(),
        last.url(),
        last.url().replace("http:", "HTTP:"),
        last.other_url().replace("localhost", "LocalHost"),
        last.url().replace("http:", ""),
        format!("{}#part", last.url()),
    ] {
        let there = location.clone();
        let server = Recorder::start(move |request| match request.line.as_str() {
            "GET / HTTP/1.1" => format!("302 Go\r\nLocation: {there}\r\n"),
            _ => "200 OK\r\n".to_owned(),
        });
        let before = last.ids().len();
        let client = client();
        let inside = sync_scope(id("click-1"), || client.get(server.url()).send());
        scope(id("click-2"), inside).await.unwrap();
        let outside = client.get(server.url()).send();
        scope(id("click-2"), outside).await.unwrap();
        let mut hops = [&server.ids(), &last.ids()[before..]].concat();
        hops.sort();
        let expected = [None, None, sent("click-1"), sent("click-1")];
        assert_eq!(hops, expected, "{location}");
    }
}

#[actix_web::test]
async fn a_frozen_request_is_redirected_with_the_id() {
    let stranger = Recorder::ok();
    let server = Recorder::redirect(302, stranger.other_url());
    let everywhere = client().get(server.url()).freeze().unwrap();
    let restricted = client_for(&server).get(server.url()).freeze().unwrap();
    in_scope(async { everywhere.send().await }).await.unwrap();
    in_scope(async { restricted.send().await }).await.unwrap();
    assert_eq!(server.ids(), [sent("click-1"), sent("click-1")]);
    assert_eq!(stranger.ids(), [sent("click-1"), None]);
}

/// Nobody finds what a redirect has left that was not followed.
#[actix_web::test]
async fn a_redirect_that_is_not_followed_leaves_nothing() {
    let server = Recorder::redirect(302, "/next");
    let client = Client::builder()
        .disable_redirects()
        .wrap(Propagate::new())
        .finish();
    let call = || sync_scope(id("click-1"), || client.get(server.url()).send());

    // The future is gone.
    call().await.unwrap();
    let next = format!("{}next", server.url());
    scope(id("click-2"), async { client.get(&next).send().await })
        .await
        .unwrap();

    // The future is kept, but this is another task, and another address.
    let mut kept = pin!(call());
    kept.as_mut().await.unwrap();
    let other = client.clone();
    let task = async move { other.get(&next).send().await.map(drop) };
    let task = scope(id("click-3"), task);
    actix_web::rt::spawn(task).await.unwrap().unwrap();
    let elsewhere = Recorder::ok();
    let absolute = Recorder::redirect(302, elsewhere.other_url());
    for from in [&server, &absolute] {
        let call = sync_scope(id("click-1"), || client.get(from.url()).send());
        let mut kept = pin!(call);
        kept.as_mut().await.unwrap();
        let other = async { client.get(elsewhere.url()).send().await };
        scope(id("click-4"), other).await.unwrap();
    }

    let expected = ["click-1", "click-2", "click-1", "click-3", "click-1"].map(sent);
    assert_eq!(server.ids(), expected);
    assert_eq!(elsewhere.ids(), [sent("click-4"), sent("click-4")]);
}

#[actix_web::test]
async fn a_loop_ends_at_the_limit_of_the_client() {
    let server = Recorder::redirect(302, "/");
    let client = Client::builder()
        .max_redirects(3)
        .wrap(Propagate::new())
        .finish();
    in_scope(async { client.get(server.url()).send().await })
        .await
        .unwrap();
    assert_eq!(server.ids(), ["click-1"; 4].map(sent));
}

/// The control: wrapped around redirects, the middleware sees the first hop only, as its
/// documentation says.
#[actix_web::test]
async fn outside_of_redirects_the_id_goes_anywhere() {
    let stranger = Recorder::ok();
    let server = Recorder::redirect(302, stranger.other_url());
    let client = Client::builder()
        .disable_redirects()
        .wrap(Redirect::new())
        .wrap(Propagate::new().targets(Targets::hosts(["127.0.0.1"])))
        .finish();
    in_scope(async { client.get(server.url()).send().await })
        .await
        .unwrap();
    assert_eq!(stranger.ids(), [sent("click-1")]);
}
