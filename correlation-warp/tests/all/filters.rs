//! `correlated` on plain warp, and the filters.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Mutex;

use correlation_testkit::{Connection, NO_HEADERS, app, listen};
use correlation_warp::correlation::testing::LogCapture;
use correlation_warp::correlation::{Policy, Trust};
use correlation_warp::{CurrentId, MissingId, correlated, correlated_with, correlation};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use http_body_util::BodyExt;
use warp::http::StatusCode;
use warp::{Filter, Rejection, Reply};

/// The gap that the documentation tells of, and its remedy.
#[tokio::test]
async fn only_recovered_rejections_have_the_header() {
    let routes = warp::path!("id").map(app::id);
    let request = || warp::test::request().path("/no-such-path");

    let reply = request().reply(&correlated(routes)).await;
    assert_eq!(reply.status(), 404);
    assert!(!reply.headers().contains_key("x-correlation-id"));

    let seen = async |_: Rejection| Ok::<_, Infallible>(app::id());
    let reply = request().reply(&correlated(routes.recover(seen))).await;
    let id = &reply.headers()["x-correlation-id"];
    assert_eq!(reply.body(), id.as_bytes());
}

#[tokio::test]
async fn rejections_go_on_to_other_routes() {
    let routes = warp::path!("id")
        .map(app::id)
        .with(warp::wrap_fn(correlated))
        .or(warp::path!("other").map(app::id));
    let reply = warp::test::request().path("/other").reply(&routes).await;
    assert_eq!(
        (reply.status(), &reply.body()[..]),
        (StatusCode::OK, &b"none"[..])
    );
}

/// The example `todos` of warp: all that is known of its routes is that they reply.
mod todos {
    use warp::http::StatusCode;
    use warp::{Filter, Rejection, Reply, path};

    use super::app;

    pub(super) fn todos() -> impl Filter<Extract = impl Reply, Error = Rejection> + Clone {
        list().or(delete())
    }

    fn list() -> impl Filter<Extract = impl Reply, Error = Rejection> + Clone {
        path!("todos").and(warp::get()).map(app::id)
    }

    fn delete() -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
        path!("todos" / u64)
            .and(warp::delete())
            .map(|_| StatusCode::NO_CONTENT)
    }
}

#[tokio::test]
async fn whatever_replies_can_be_wrapped() {
    let todos = todos::todos;
    let with = |routes| correlated_with(Policy::new(), routes);
    for routes in [
        todos().with(warp::wrap_fn(correlated)).boxed(),
        todos().with(warp::wrap_fn(with)).boxed(),
        correlated(correlated(todos())).boxed(),
        correlated(todos().with(warp::log("todos"))).boxed(),
    ] {
        let list = warp::test::request().path("/todos").reply(&routes).await;
        assert_eq!(
            list.headers()["x-correlation-id"].as_bytes(),
            &list.body()[..]
        );
        let delete = warp::test::request().method("DELETE").path("/todos/7");
        let delete = delete.reply(&routes).await;
        assert_eq!(delete.status(), StatusCode::NO_CONTENT);
        assert!(delete.headers().contains_key("x-correlation-id"));
        let other = warp::test::request().path("/other").reply(&routes).await;
        assert_eq!(other.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn whatever_replies_can_be_served() {
    let (listener, addr) = listen();
    tokio::spawn(
        correlation_warp::serve(todos::todos())
            .incoming(listener)
            .run(),
    );
    let mut connection = Connection::open(addr).await.unwrap();
    let list = connection.get("/todos", NO_HEADERS).await.unwrap();
    assert_eq!(list.ids(), [list.text()]);
}

#[tokio::test]
async fn a_refused_request_never_reaches_the_routes() {
    let policy = Policy::new().reject_missing(true);
    let routes = warp::any().map(|| -> &str { unreachable!() });
    let routes = routes.with(warp::wrap_fn(move |routes| {
        correlated_with(policy.clone(), routes)
    }));
    let reply = warp::test::request().reply(&routes).await;
    assert_eq!(reply.status(), 400);
    assert_eq!(reply.body(), "the request has no correlation ID");
    assert_eq!(reply.headers()["x-correlation-id"].len(), 36);
}

#[tokio::test]
async fn the_peer_can_be_trusted_by_address() {
    let trust = Trust::when(|caller| caller.addr().is_some_and(|addr| addr.is_loopback()));
    let routes = correlated_with(Policy::new().trust(trust), warp::any().map(app::id));
    for (peer, kept) in [("127.0.0.1:9", true), ("192.0.2.1:9", false)] {
        let request = warp::test::request().header("x-correlation-id", "c-1");
        let peer: SocketAddr = peer.parse().unwrap();
        let reply = request.remote_addr(peer).reply(&routes).await;
        assert_eq!(reply.body() == "c-1", kept, "{peer}");
    }
}

/// Each request lies where the one before it lay.
#[tokio::test]
async fn a_request_that_was_left_leaves_nothing() {
    let seen = Mutex::new(Vec::new());
    let seen: &'static _ = Box::leak(Box::new(seen));
    let routes = correlated(warp::any().then(move || {
        seen.lock().unwrap().push(app::id());
        pending::<&str>()
    }));
    for _ in 0..10 {
        let request = pin!(warp::test::request().reply(&routes));
        assert!(request.now_or_never().is_none());
    }
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 10);
    assert_eq!(correlation::current(), None);
}

#[tokio::test]
async fn sized_bodies_keep_their_length() {
    let (listener, addr) = listen();
    let lines = || warp::reply::stream(app::stream(3).map(Ok::<_, Infallible>));
    let routes = warp::path!("id").map(app::id);
    let routes = routes.or(warp::path!("stream").map(lines));
    tokio::spawn(warp::serve(correlated(routes)).incoming(listener).run());
    let mut connection = Connection::open(addr).await.unwrap();
    let sized = connection.get("/id", NO_HEADERS).await.unwrap();
    assert_eq!(sized.values("content-length"), ["36"]);
    let streamed = connection.get("/stream", NO_HEADERS).await.unwrap();
    assert_eq!(streamed.values("transfer-encoding"), ["chunked"]);
}

/// It is read in two steps, and then dropped.
#[tokio::test]
async fn the_access_record_says_how_a_body_ended() {
    type Rest = Pin<Box<dyn Stream<Item = io::Result<&'static str>> + Send + Sync>>;
    type Make = fn() -> Rest;
    let cases: [(Make, Option<&str>, &str); 4] = [
        (|| Box::pin(stream::pending()), None, "client_gone"),
        // Nobody asks for more than its length.
        (|| Box::pin(stream::pending()), Some("3"), "completed"),
        (
            || Box::pin(stream::iter([Err(io::Error::other("broken"))])),
            None,
            "failed",
        ),
        (
            || Box::pin(stream::poll_fn(|_| panic!("boom"))),
            None,
            "panicked",
        ),
    ];
    for (rest, length, outcome) in cases {
        let routes = warp::any().map(move || {
            let chunks = stream::iter([Ok("abc")]).chain(rest());
            let mut response = warp::reply::stream(chunks).into_response();
            if let Some(length) = length {
                let length = length.parse().unwrap();
                response.headers_mut().insert("content-length", length);
            }
            response
        });
        let routes = correlated_with(Policy::new().access_record(true), routes);
        let log = LogCapture::start();
        let response = warp::test::request().filter(&routes).await.unwrap();
        let mut body = Box::pin(response.into_body());
        assert!(body.frame().await.unwrap().is_ok());
        let next = catch_unwind(AssertUnwindSafe(|| body.frame().now_or_never().map(drop)));
        assert_eq!(next.is_err(), outcome == "panicked");
        drop(body);
        let [record] = &log.lines()[..] else {
            panic!("{:?}", log.lines());
        };
        assert_eq!(record.field("bytes"), Some("3"), "{record}");
        assert_eq!(record.field("outcome"), Some(outcome), "{record}");
    }
}

#[tokio::test]
async fn without_a_context_the_id_filter_says_what_to_do() {
    let routes = correlation_warp::id().map(|id: CurrentId| id.to_string());
    let reply = warp::test::request().reply(&routes).await;
    assert_eq!(reply.status(), 500);
    let body = String::from_utf8(reply.body().to_vec()).unwrap();
    assert!(body.contains("`correlated`"), "{body}");

    let rejection = warp::test::request().filter(&routes).await.unwrap_err();
    assert!(rejection.find::<MissingId>().is_some());
}
