//! The contract of all adapters, run against axum.

use std::net::{SocketAddr, TcpListener};

use axum::body::Body;
use axum::extract::{Query, WebSocketUpgrade, ws::WebSocket};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::{Json, Router, routing::get};
use correlation_axum::{CorrelationLayer, CurrentId, Policy, carry};
use correlation_testkit::{Adapter, CORRELATION_ID, Gaps, OWN_HEADERS, probe};
use futures_util::StreamExt;
use service_common::answers::{self, SleepyQuery, StreamQuery};
use tower_http::catch_panic::CatchPanicLayer;

#[tokio::test(flavor = "multi_thread")]
async fn contract() {
    correlation_testkit::run(&Axum { layers: 1 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_with_the_layer_applied_twice() {
    correlation_testkit::run(&Axum { layers: 2 }).await;
}

struct Axum {
    layers: usize,
}

impl Adapter for Axum {
    const NAME: &'static str = "axum";

    fn start(&self, policy: Policy) -> SocketAddr {
        let layer = CorrelationLayer::new().policy(policy);
        let app = (0..self.layers).fold(app(), |app, _| app.layer(layer.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let addr = listener.local_addr().unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async { axum::serve(listener, app).await });
        addr
    }

    fn gaps(&self) -> Gaps {
        Gaps::default()
    }
}

fn app() -> Router {
    Router::new()
        .route("/id", get(|| async { answers::id() }))
        .route(
            "/extract",
            get(|id: CurrentId| async move { id.to_string() }),
        )
        .route("/inbound", get(|| async { Json(answers::inbound()) }))
        .route(
            "/sleepy",
            get(|Query(q): Query<SleepyQuery>| async move {
                Json(answers::sleepy(q.steps, q.ms).await)
            }),
        )
        .route(
            "/stream",
            get(|Query(q): Query<StreamQuery>| async move {
                Body::from_stream(answers::stream(q.chunks).map(Ok::<_, axum::Error>))
            }),
        )
        .route("/spawn", get(|| async { Json(answers::spawned().await) }))
        .route("/seen", get(seen))
        .route("/own", get(|| async { (OWN_HEADERS, answers::id()) }))
        .route("/fail", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/panic", get(boom))
        .route(
            "/ws",
            get(|ws: WebSocketUpgrade| async { ws.on_upgrade(carry(echo_id)) }),
        )
        .route(
            "/hang",
            get(|Query(q): Query<probe::HangQuery>| async move { probe::hang(&q.name).await }),
        )
        .route(
            "/hang-stream",
            get(|Query(q): Query<probe::HangQuery>| async move {
                Body::from_stream(probe::hang_stream(&q.name).map(Ok::<_, axum::Error>))
            }),
        )
        .layer(CatchPanicLayer::new())
}

async fn seen(headers: HeaderMap) -> String {
    let lines = headers.get_all(CORRELATION_ID).iter();
    let lines: Vec<_> = lines.filter_map(|id| id.to_str().ok()).collect();
    if lines.is_empty() {
        "none".to_owned()
    } else {
        lines.join(", ")
    }
}

async fn boom() -> impl IntoResponse {
    if true {
        panic!("boom");
    }
}

async fn echo_id(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if message.to_text().is_ok() && socket.send(answers::id().into()).await.is_err() {
            break;
        }
    }
}
