//! Where the ID goes when a server sends the client elsewhere.

use std::pin::pin;

use awc::Client;
use awc::middleware::Redirect;
use correlation_actix::Propagate;
use correlation_actix::correlation::{Targets, scope, sync_scope};
use correlation_testkit::{Recorder, id};

use super::{client, in_scope};

#[actix_web::test]
async fn every_hop_has_the_id_of_the_call() {
    let last = Recorder::ok();
    let elsewhere = last.other_url();
    let server = Recorder::start(move |request| match request.line.as_str() {
        "POST /" => "307 Go\r\nLocation: /next".to_owned(),
        _ => format!("302 Go\r\nLocation: {elsewhere}"),
    });
    let client = client();
    let response = sync_scope(id("click-1"), || {
        client.post(server.url()).send_body("three")
    });
    scope(id("click-2"), response).await.unwrap();
    let response = sync_scope(id("click-1"), || client.post(server.url()).send());
    response.await.unwrap();
    assert_eq!(server.calls()[1].body, b"three");
    assert_eq!(server.ids(), ["click-1"; 4]);
    assert_eq!(last.ids(), ["click-1"; 2]);

    // A call outside of any scope takes none from where it is awaited.
    let response = client.post(server.url()).send();
    in_scope(response).await.unwrap();
    assert_eq!(server.ids()[4..], ["-", "-"]);
    assert_eq!(last.ids()[2..], ["-"]);
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
            "GET /" => format!("302 Go\r\nLocation: {there}"),
            _ => "200 OK".to_owned(),
        });
        let before = last.ids().len();
        let client = client();
        let inside = sync_scope(id("click-1"), || client.get(server.url()).send());
        scope(id("click-2"), inside).await.unwrap();
        let outside = client.get(server.url()).send();
        scope(id("click-2"), outside).await.unwrap();
        let mut hops = [&server.ids(), &last.ids()[before..]].concat();
        hops.sort();
        let expected = ["-", "-", "click-1", "click-1"];
        assert_eq!(hops, expected, "{location}");
    }
}

/// Nobody finds what a redirect has left that was not followed, or what any other answer has: not
/// in the same task, to the same address, in the same scope in which the answer was awaited, while
/// its future is kept or after it is gone.
#[actix_web::test]
async fn only_the_next_hop_goes_on_with_a_call() {
    for status in [200, 201, 300, 301, 302, 303, 304, 307, 308] {
        for follows in [false, true] {
            let last = Recorder::ok();
            let server = Recorder::redirect(status, last.url());
            let mut client = Client::builder();
            if !follows {
                client = client.disable_redirects();
            }
            let client = client.wrap(Propagate::new()).finish();
            let begin = || sync_scope(id("click-1"), || client.get(server.url()).send());
            let next = || client.get(last.url()).send();
            // What the last hop gets of a call that is followed.
            let followed = follows && [301, 302, 303, 307, 308].contains(&status);
            let hop = || followed.then_some("click-1");
            let mut expected = Vec::new();

            let mut kept = pin!(begin());
            kept.as_mut().await.unwrap();
            scope(id("click-2"), async { next().await }).await.unwrap();
            next().await.unwrap();
            expected.extend(hop().into_iter().chain(["click-2", "-"]));

            // Begun while it is there, polled when it is gone.
            let mut gone = Box::pin(begin());
            gone.as_mut().await.unwrap();
            let outside = next();
            drop(gone);
            outside.await.unwrap();
            expected.extend(hop().into_iter().chain(["-"]));

            let both = async {
                begin().await.unwrap();
                next().await
            };
            scope(id("click-3"), both).await.unwrap();
            expected.extend(hop().into_iter().chain(["click-3"]));

            // Given up before its answer came.
            let mut given_up = Box::pin(begin());
            assert!(futures_util::poll!(&mut given_up).is_pending());
            drop(given_up);
            next().await.unwrap();
            expected.push("-");

            assert_eq!(last.ids(), expected, "{status}, follows: {follows}");
        }
    }
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
    assert_eq!(server.ids(), ["click-1"; 4]);
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
    assert_eq!(stranger.ids(), ["click-1"]);
}
