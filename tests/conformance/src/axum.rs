//! The contract app on axum.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use correlation_axum::correlation::carry;
use correlation_axum::{CorrelationLayer, CurrentId};
use correlation_testkit::app::{self, Params};
use correlation_testkit::{CORRELATION_ID, probe};
use futures_util::{Stream, StreamExt};
use service_common::{Config, announce, terminated};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use crate::outbound::{Call, Failed, Outbound};

/// The process.
///
/// # Errors
///
/// If the address cannot be listened on.
pub async fn run(config: Config) -> io::Result<()> {
    let listener = TcpListener::bind(config.listen).await?;
    let terminated = terminated();
    announce(listener.local_addr()?);
    let layer = CorrelationLayer::new().policy(config.policy());
    serve(listener, app(config.downstream).layer(layer), terminated).await
}

/// Serves an app until it is told to end, with the address of each peer.
///
/// # Errors
///
/// None: axum waits out a failure to accept.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).with_graceful_shutdown(end).await
}

/// The app without the layer.
pub fn app(downstream: Option<String>) -> Router {
    Router::new()
        .route("/id", get(async || app::id()))
        .route("/extract", get(async |id: CurrentId| id.to_string()))
        .route("/inbound", get(async || Json(app::inbound())))
        .route("/sleepy", get(sleepy))
        .route("/stream", get(stream))
        .route("/spawn", get(async || Json(app::spawned().await)))
        .route("/log", get(log))
        .route("/relay", get(relay))
        .route("/test", post(test))
        .route("/seen", get(seen))
        .route("/own", get(async || (app::OWN_HEADERS, app::id())))
        .route("/opaque", get(opaque))
        .route("/empty/{status}", get(empty))
        .route("/fail", get(fail))
        .route("/panic", get(panic))
        .route("/ws", get(ws))
        .route("/hang", get(hang))
        .route("/hang-stream", get(hang_stream))
        .with_state(Outbound::new(downstream))
        // Inside the layer, so that the 500 after a panic has the ID.
        .layer(CatchPanicLayer::new())
}

async fn sleepy(Query(params): Query<Params>) -> Json<Vec<String>> {
    Json(app::sleepy(params.steps, params.ms).await)
}

async fn stream(Query(params): Query<Params>) -> impl IntoResponse {
    streamed(app::stream(params.chunks))
}

async fn log(Query(params): Query<Params>) -> String {
    app::log_lines(params.n, &params.say)
}

async fn relay(
    State(outbound): State<Outbound>,
    Query(params): Query<Params>,
) -> Result<Response, Failed> {
    let (status, body) = outbound.relay(&params.path).await?;
    Ok((StatusCode::from_u16(status)?, body).into_response())
}

async fn test(
    State(outbound): State<Outbound>,
    Json(calls): Json<Vec<Call>>,
) -> Result<Json<[(); 0]>, Failed> {
    outbound.test(calls).await?;
    Ok(Json([]))
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0).unwrap_or_default();
        (status, self.1).into_response()
    }
}

async fn seen(headers: HeaderMap) -> String {
    app::seen(headers.get_all(CORRELATION_ID))
}

async fn opaque() -> impl IntoResponse {
    let (name, value) = app::OPAQUE_HEADER;
    ([(name, value.as_bytes())], app::id())
}

async fn empty(Path(status): Path<u16>) -> Result<StatusCode, Failed> {
    Ok(StatusCode::from_u16(status)?)
}

async fn fail() -> Result<(), StatusCode> {
    Err(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn panic() {
    panic!("boom");
}

/// axum runs the callback in another task: `carry` takes the ID along.
async fn ws(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(carry(async |mut socket: WebSocket| {
        while let Some(Ok(message)) = socket.recv().await {
            let is_text = matches!(message, Message::Text(_));
            if is_text && socket.send(app::id().into()).await.is_err() {
                break;
            }
        }
    }))
}

async fn hang(Query(params): Query<Params>) -> String {
    probe::hang(&params.name).await
}

async fn hang_stream(Query(params): Query<Params>) -> impl IntoResponse {
    streamed(probe::hang_stream(&params.name))
}

fn streamed(lines: impl Stream<Item = String> + Send + 'static) -> impl IntoResponse {
    let body = Body::from_stream(lines.map(Ok::<_, Infallible>));
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], body)
}
