//! The layer where it does not belong: what happens is what `docs/MISUSE.md` says.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use correlation_axum::correlation::{Policy, Trust};
use correlation_axum::{CorrelationLayer, CurrentId};
use correlation_testkit::{CORRELATION_ID, Connection, app, listen};
use tower_http::catch_panic::CatchPanicLayer;

/// The IDs of the response, and its text.
async fn ask(addr: SocketAddr, path: &str) -> (u16, Vec<String>, String) {
    let mut connection = Connection::open(addr).await.unwrap();
    let response = connection.get(path, &[(CORRELATION_ID, "c-1")]).await;
    let response = response.unwrap();
    let ids = response.ids().iter().map(ToString::to_string).collect();
    (response.status, ids, response.text().into_owned())
}

fn serve(router: Router) -> SocketAddr {
    let (listener, addr) = listen();
    tokio::spawn(async { axum::serve(listener, router).await });
    addr
}

fn answer(status: u16, ids: &[&str], text: &str) -> (u16, Vec<String>, String) {
    let ids = ids.iter().map(ToString::to_string).collect();
    (status, ids, text.to_owned())
}

fn id() -> Router {
    Router::new().route("/id", get(async || app::id()))
}

fn never() -> CorrelationLayer {
    CorrelationLayer::new().policy(Policy::new().trust(Trust::never()))
}

#[tokio::test]
async fn on_a_nested_router_the_rest_has_no_id() {
    let nested = id().layer(CorrelationLayer::new());
    let addr = serve(id().nest("/api", nested));
    assert_eq!(ask(addr, "/api/id").await, answer(200, &["c-1"], "c-1"));
    assert_eq!(ask(addr, "/id").await, answer(200, &[], "none"));
    assert_eq!(ask(addr, "/api/no").await, answer(404, &[], ""));
    assert_eq!(ask(addr, "/no").await, answer(404, &[], ""));
}

/// The outermost policy decides, and the header stands once.
#[tokio::test]
async fn on_a_nested_router_and_around_it_the_outer_one_counts() {
    let nested = id().layer(never());
    let app = Router::new().nest("/api", nested);
    let addr = serve(app.layer(CorrelationLayer::new()));
    assert_eq!(ask(addr, "/api/id").await, answer(200, &["c-1"], "c-1"));

    let nested = id().layer(CorrelationLayer::new());
    let addr = serve(Router::new().nest("/api", nested).layer(never()));
    let (status, ids, text) = ask(addr, "/api/id").await;
    assert_eq!((status, &ids.concat()), (200, &text));
    assert_ne!(text, "c-1");
}

#[tokio::test]
async fn merged_routers_keep_their_own_policies() {
    let strict = Router::new().route("/strict", get(async || app::id()));
    let app = id().layer(CorrelationLayer::new());
    let addr = serve(app.merge(strict.layer(never())));
    assert_eq!(ask(addr, "/id").await, answer(200, &["c-1"], "c-1"));
    let (status, ids, text) = ask(addr, "/strict").await;
    assert_eq!((status, &ids.concat()), (200, &text));
    assert_ne!(text, "c-1");
    // What neither has goes by the one that was merged into the other.
    let (status, ids, _) = ask(addr, "/no").await;
    assert_eq!((status, ids.len()), (404, 1));
    assert_ne!(ids, ["c-1"]);
    let strict = Router::new().layer(never());
    let addr = serve(strict.merge(id().layer(CorrelationLayer::new())));
    assert_eq!(ask(addr, "/no").await, answer(404, &["c-1"], ""));
}

#[tokio::test]
async fn without_the_layer_the_extractor_says_what_is_missing() {
    let app = Router::new()
        .route("/id", get(async |id: CurrentId| id.to_string()))
        .route(
            "/maybe",
            get(async |id: Option<CurrentId>| format!("{id:?}")),
        )
        .route("/current", get(async || app::id()));
    let within = serve(app.clone().layer(CorrelationLayer::new()));
    let some = r#"Some(CurrentId(CorrelationId("c-1")))"#;
    assert_eq!(ask(within, "/maybe").await, answer(200, &["c-1"], some));
    let addr = serve(app);
    let why = "no correlation ID: is `CorrelationLayer` added to the router, after its routes?";
    assert_eq!(ask(addr, "/id").await, answer(500, &[], why));
    assert_eq!(ask(addr, "/maybe").await, answer(200, &[], "None"));
    assert_eq!(ask(addr, "/current").await, answer(200, &[], "none"));
}

#[tokio::test]
async fn a_route_that_is_added_after_the_layer_has_no_id() {
    let app = id().layer(CorrelationLayer::new());
    let addr = serve(app.route("/late", get(async || app::id())));
    assert_eq!(ask(addr, "/id").await, answer(200, &["c-1"], "c-1"));
    assert_eq!(ask(addr, "/late").await, answer(200, &[], "none"));
}

/// Puts what it reads into the response.
async fn reads(request: Request, next: Next) -> Response {
    let read = app::id();
    let mut response = next.run(request).await;
    let read = read.parse().unwrap();
    response.headers_mut().insert("x-read", read);
    response
}

#[tokio::test]
async fn a_layer_that_is_outside_reads_no_id() {
    for (app, read) in [
        (
            id().layer(from_fn(reads)).layer(CorrelationLayer::new()),
            "c-1",
        ),
        (
            id().layer(CorrelationLayer::new()).layer(from_fn(reads)),
            "none",
        ),
    ] {
        let mut connection = Connection::open(serve(app)).await.unwrap();
        let response = connection.get("/id", &[(CORRELATION_ID, "c-1")]).await;
        let response = response.unwrap();
        assert_eq!(response.values("x-read"), [read]);
        assert_eq!(response.ids(), ["c-1"]);
    }
}

#[tokio::test]
async fn a_panic_that_is_caught_outside_is_answered_without_the_header() {
    let app = || {
        let panics = async || -> StatusCode { panic!("boom") };
        Router::new().route("/panic", get(panics))
    };
    let (panics, layer) = (CatchPanicLayer::new(), CorrelationLayer::new());
    let addr = serve(app().layer(panics).layer(layer.clone()));
    let (status, ids, _) = ask(addr, "/panic").await;
    assert_eq!((status, &ids[..]), (500, &["c-1".to_owned()][..]));
    let addr = serve(app().layer(layer).layer(panics));
    let (status, ids, _) = ask(addr, "/panic").await;
    assert_eq!((status, ids.len()), (500, 0));
}
