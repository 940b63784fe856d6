//! An axum service whose every log line, response and outbound call carries the correlation ID.
//!
//! Two lines do it: `.layer(CorrelationLayer::new())` on the router, and `.propagate()` on the
//! HTTP client. No handler below has an ID as an argument, unless it wants one.

mod outbound;

use std::io;

use axum::body::Body;
use axum::extract::Query;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use correlation_axum::{CorrelationLayer, CurrentId, carry};
use correlation_reqwest::Propagate;
use futures_util::{Stream, StreamExt};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use service_common::answers::{self, Inbound, LogQuery, SleepyQuery, Spawned, StreamQuery};
use service_common::{Config, announce, logs, terminated};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

#[tokio::main]
async fn main() -> io::Result<()> {
    let config = Config::from_env_or_exit();
    logs::init(&config);

    let listener = TcpListener::bind(config.listen).await?;
    let terminated = terminated();
    announce(listener.local_addr()?);
    axum::serve(listener, app(&config))
        .with_graceful_shutdown(terminated)
        .await
}

fn app(config: &Config) -> Router {
    Router::new()
        .route("/id", get(async || answers::id()))
        .route("/extract", get(extract))
        .route("/inbound", get(inbound))
        .route("/sleepy", get(sleepy))
        .route("/stream", get(stream))
        .route("/spawn", get(spawn))
        .route("/log", get(log))
        .route("/relay", get(outbound::relay))
        .route("/test", post(outbound::test))
        .route("/fail", get(fail))
        .route("/panic", get(panic))
        .route("/ws", get(ws))
        .with_state(Outbound {
            // After this line no call has to think of the ID.
            client: ClientBuilder::new(reqwest::Client::new())
                .propagate()
                .build(),
            downstream: config.downstream.clone(),
        })
        // Inside the layer below, so that the 500 after a panic has the ID as well.
        .layer(CatchPanicLayer::new())
        // Last, and thereby outermost: all above is in its scope.
        .layer(CorrelationLayer::new().policy(config.policy()))
}

/// What outbound calls need.
#[derive(Clone)]
struct Outbound {
    client: ClientWithMiddleware,
    downstream: Option<String>,
}

/// For those who like to see in the signature that a handler needs the ID.
async fn extract(id: CurrentId) -> String {
    id.to_string()
}

async fn inbound() -> Json<Inbound> {
    Json(answers::inbound())
}

async fn sleepy(Query(query): Query<SleepyQuery>) -> Json<Vec<String>> {
    Json(answers::sleepy(query.steps, query.ms).await)
}

/// The chunks are produced after this function has returned, and still know their ID.
async fn stream(Query(query): Query<StreamQuery>) -> impl IntoResponse {
    let body = Body::from_stream(infallible(answers::stream(query.chunks)));
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], body)
}

async fn spawn() -> Json<Spawned> {
    Json(answers::spawned().await)
}

async fn log(Query(query): Query<LogQuery>) -> String {
    answers::log_lines(query.n)
}

async fn fail() -> Result<(), StatusCode> {
    Err(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn panic() {
    panic!("boom");
}

/// axum runs the callback in a task of its own: `carry` takes the ID along.
async fn ws(upgrade: WebSocketUpgrade) -> axum::response::Response {
    upgrade.on_upgrade(carry(async |mut socket: WebSocket| {
        while let Some(Ok(message)) = socket.recv().await {
            let is_text = matches!(message, axum::extract::ws::Message::Text(_));
            if is_text && socket.send(answers::id().into()).await.is_err() {
                break;
            }
        }
    }))
}

fn infallible<T>(stream: impl Stream<Item = T>) -> impl Stream<Item = io::Result<T>> {
    stream.map(Ok)
}
