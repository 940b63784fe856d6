//! poem.

use std::net::SocketAddr;
use std::time::Duration;

use correlation_testkit::app::{self, Params};
use correlation_testkit::{Adapter, CORRELATION_ID, Gaps, listen, probe, service};
use correlation_tower::CorrelationLayer;
use correlation_tower::correlation::{Policy, carry};
use futures_util::{SinkExt, Stream, StreamExt, stream};
use poem::error::InternalServerError;
use poem::http::{HeaderMap, StatusCode};
use poem::listener::TcpAcceptor;
use poem::middleware::CatchPanic;
use poem::web::websocket::{Message, WebSocket, WebSocketStream};
use poem::web::{Json, Path, Query};
use poem::{Body, Endpoint, EndpointExt, IntoResponse, Response, Route, Server, get, handler};
use tokio::time::sleep;

use example::correlated;

#[path = "../../src/bin/poem.rs"]
#[expect(dead_code)]
mod example;

#[test]
fn program() {
    service::quickstart(env!("CARGO_BIN_EXE_poem"));
}

#[tokio::test(flavor = "multi_thread")]
async fn contract() {
    correlation_testkit::run(&Poem::Once).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_with_the_layer_applied_twice() {
    correlation_testkit::run(&Poem::Twice).await;
}

enum Poem {
    Once,
    Twice,
}

impl Adapter for Poem {
    const NAME: &'static str = "poem";
    const ROUTE: Option<&'static str> = None;

    fn start(&self, policy: Policy) -> SocketAddr {
        let layer = CorrelationLayer::new().policy(policy);
        let app = around(app(), layer.clone());
        let (listener, addr) = listen();
        let acceptor = TcpAcceptor::from_tokio(listener).expect("a socket for poem");
        let server = Server::new_with_acceptor(acceptor);
        match self {
            Self::Once => tokio::spawn(server.run(app)),
            Self::Twice => tokio::spawn(server.run(around(app, layer))),
        };
        addr
    }

    fn gaps(&self) -> Gaps {
        Gaps {
            // poem waits for the end of a connection once more after it has ended, and holds what
            // the client has left until then. It does so without a layer, too.
            handler_not_cancelled: true,
            ..Gaps::default()
        }
    }
}

fn around(app: impl Endpoint + 'static, layer: CorrelationLayer) -> impl Endpoint + 'static {
    app.around(move |app, request| correlated(layer.clone(), app, request))
}

/// The contract app, without the layer.
fn app() -> impl Endpoint {
    Route::new()
        .at("/id", get(id))
        .at("/extract", get(id))
        .at("/inbound", get(inbound))
        .at("/sleepy", get(sleepy))
        .at("/stream", get(stream_lines))
        .at("/spawn", get(spawn))
        .at("/seen", get(seen))
        .at("/own", get(own))
        .at("/opaque", get(opaque))
        .at("/empty/:status", get(empty))
        .at("/fail", get(fail))
        .at("/panic", get(panic))
        .at("/ws", get(ws))
        .at("/hang", get(hang))
        .at("/hang-stream", get(hang_stream))
        // Inside of the layer, so that the 500 after a panic has the ID.
        .with(CatchPanic::new())
}

#[handler]
async fn id() -> String {
    app::id()
}

#[handler]
async fn inbound() -> impl IntoResponse {
    Json(app::inbound())
}

#[handler]
async fn sleepy(Query(params): Query<Params>) -> impl IntoResponse {
    Json(app::sleepy(params.steps, params.ms).await)
}

#[handler]
async fn stream_lines(Query(params): Query<Params>) -> Response {
    streamed(app::stream(params.chunks))
}

#[handler]
async fn spawn() -> impl IntoResponse {
    Json(app::spawned().await)
}

#[handler]
async fn seen(headers: &HeaderMap) -> String {
    app::seen(headers.get_all(CORRELATION_ID))
}

#[handler]
async fn own() -> impl IntoResponse {
    let [own, exposed] = app::OWN_HEADERS;
    app::id()
        .with_header(own.0, own.1)
        .with_header(exposed.0, exposed.1)
}

#[handler]
async fn opaque() -> impl IntoResponse {
    let (name, value) = app::OPAQUE_HEADER;
    app::id().with_header(name, value.as_bytes())
}

#[handler]
async fn empty(Path(status): Path<u16>) -> poem::Result<StatusCode> {
    StatusCode::from_u16(status).map_err(InternalServerError)
}

#[handler]
async fn fail() -> poem::Result<()> {
    Err(StatusCode::INTERNAL_SERVER_ERROR.into())
}

#[handler]
async fn panic() {
    panic!("boom");
}

/// poem runs the callback in another task: `carry` takes the ID along.
#[handler]
async fn ws(ws: WebSocket) -> impl IntoResponse {
    ws.on_upgrade(carry(async |mut socket: WebSocketStream| {
        while let Some(Ok(message)) = socket.next().await {
            let answer = Message::text(app::id());
            if message.is_text() && socket.send(answer).await.is_err() {
                break;
            }
        }
    }))
}

#[handler]
async fn hang(Query(params): Query<Params>) -> String {
    probe::hang(&params.name).await
}

/// poem finds out that a client is gone when it writes, so something has to be written.
#[handler]
async fn hang_stream(Query(params): Query<Params>) -> Response {
    let ticks = stream::unfold((), async |()| {
        sleep(Duration::from_millis(5)).await;
        Some(("\n".to_owned(), ()))
    });
    streamed(stream::select(probe::hang_stream(&params.name), ticks))
}

fn streamed(lines: impl Stream<Item = String> + Send + 'static) -> Response {
    let body = Body::from_bytes_stream(lines.map(Ok::<_, std::io::Error>));
    body.with_content_type("text/plain; charset=utf-8")
        .into_response()
}
