//! Where the ID goes when a server sends the client elsewhere.

use correlation_core::scope;
use correlation_testkit::Recorder;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

use super::{get, hyper, id, layer_for, sent};

#[tokio::test]
async fn inside_of_redirects_every_hop_is_checked() {
    for status in [301, 302, 303, 307, 308] {
        let stranger = Recorder::ok();
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
            let client = ServiceBuilder::new()
                .layer(FollowRedirectLayer::new())
                .layer(layer_for(&server))
                .service(hyper());
            let call = client.oneshot(get(server.url()));
            let response = scope(id("click-1"), call).await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(server.ids(), [sent("click-1")]);
        }
        assert_eq!(stranger.ids(), [const { None }; 6]);
    }
}

#[tokio::test]
async fn the_id_is_back_when_a_redirect_comes_back() {
    let server = Recorder::start(|request| match request.line.as_str() {
        "GET / HTTP/1.1" => "302 Go\r\nLocation: next\r\n".to_owned(),
        _ => "200 OK\r\n".to_owned(),
    });
    let stranger = Recorder::redirect(302, server.url());
    let client = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(layer_for(&server))
        .service(hyper());
    let call = client.oneshot(get(stranger.other_url()));
    scope(id("click-1"), call).await.unwrap();
    assert_eq!(stranger.ids(), [None]);
    assert_eq!(server.ids(), [sent("click-1"), sent("click-1")]);
}

/// The control: what the documentation warns of.
#[tokio::test]
async fn outside_of_redirects_the_id_goes_anywhere() {
    let stranger = Recorder::ok();
    let server = Recorder::redirect(302, stranger.other_url());
    let client = ServiceBuilder::new()
        .layer(layer_for(&server))
        .layer(FollowRedirectLayer::new())
        .service(hyper());
    let call = client.oneshot(get(server.url()));
    scope(id("click-1"), call).await.unwrap();
    assert_eq!(stranger.ids(), [sent("click-1")]);
}
