//! salvo.

use std::convert::Infallible;
use std::net::SocketAddr;

use correlation_testkit::app::{self, Params};
use correlation_testkit::{
    Adapter, CORRELATION_ID, Connection, NO_HEADERS, listen, probe, service,
};
use correlation_tower::correlation::{Policy, carry};
use correlation_tower::{CorrelationLayer, PeerAddr};
use futures_util::{Stream, StreamExt};
use salvo::catch_panic::CatchPanic;
use salvo::catcher::Catcher;
use salvo::conn::tcp::TcpAcceptor;
use salvo::http::ParseError;
use salvo::prelude::*;
use salvo::websocket::{WebSocket, WebSocketUpgrade};

#[test]
fn program() {
    service::quickstart(env!("CARGO_BIN_EXE_salvo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn contract() {
    correlation_testkit::run(&Salvo).await;
}

/// salvo calls a layer in a task of its own, where a second layer does not see the first: it makes
/// an ID of its own for a request that brought none, unless the first one writes its into the
/// request. That is why no contract is run for the two.
#[tokio::test(flavor = "multi_thread")]
async fn two_layers_need_rewrite_request() {
    let outer = Policy::new();
    for (outer, is_one) in [(outer.clone(), false), (outer.rewrite_request(true), true)] {
        let outer = CorrelationLayer::new().policy(outer);
        let inner = CorrelationLayer::new();
        let addr = serve(
            Service::new(app())
                .hoop(outer.compat())
                .hoop(inner.compat()),
        );
        let mut connection = Connection::open(addr).await.unwrap();

        let fresh = connection.get("/id", NO_HEADERS).await.unwrap();
        assert_eq!(fresh.ids() == [fresh.text()], is_one, "{fresh:?}");
        // An ID that the caller sends is kept either way.
        let sent = [(CORRELATION_ID, "click-1")];
        let kept = connection.get("/id", &sent).await.unwrap();
        assert_eq!(kept.ids(), ["click-1"]);
        assert_eq!(kept.text(), "click-1");
    }
}

/// salvo makes an error page where there is no body, and behind a layer there always is one.
#[tokio::test(flavor = "multi_thread")]
async fn error_pages_are_made_inside_of_the_layer() {
    for (with_pages, service) in [
        (
            false,
            Service::new(app()).hoop(CorrelationLayer::new().compat()),
        ),
        (
            true,
            Service::new(app())
                .hoop(CorrelationLayer::new().compat())
                .hoop(pages),
        ),
    ] {
        let mut connection = Connection::open(serve(service)).await.unwrap();
        for (path, status) in [("/no-such-path", 404), ("/fail", 500)] {
            let response = connection.get(path, NO_HEADERS).await.unwrap();
            assert_eq!(response.status, status);
            assert_eq!(response.ids().len(), 1, "{response:?}");
            assert_eq!(!response.text().is_empty(), with_pages, "{response:?}");
        }
    }
}

#[handler]
async fn pages(req: &mut Request, depot: &mut Depot, res: &mut Response, ctrl: &mut FlowCtrl) {
    ctrl.call_next(req, depot, res).await;
    let failed = res.status_code.is_some_and(|status| status.as_u16() >= 400);
    if failed && (res.body.is_none() || res.body.is_error()) {
        Catcher::default().catch(req, depot, res).await;
    }
}

struct Salvo;

impl Adapter for Salvo {
    const NAME: &'static str = "salvo";
    const ROUTE: Option<&'static str> = None;

    fn start(&self, policy: Policy) -> SocketAddr {
        let layer = CorrelationLayer::new().policy(policy);
        let service = Service::new(app()).hoop(peer).hoop(layer.compat());
        // Inside of the layer, so that the 500 after a panic has the ID.
        serve(service.hoop(CatchPanic::new()))
    }
}

fn serve(service: Service) -> SocketAddr {
    let (listener, addr) = listen();
    let acceptor = TcpAcceptor::try_from(listener).expect("a socket for salvo");
    tokio::spawn(Server::new(acceptor).serve(service));
    addr
}

/// The address of the peer, where the layer looks for it.
#[handler]
async fn peer(req: &mut Request) {
    if let Some(addr) = req.remote_addr().clone().into_std() {
        req.extensions_mut().insert(PeerAddr(addr));
    }
}

/// The contract app, without the layer.
fn app() -> Router {
    let route = |path: &str| Router::with_path(path.to_owned());
    Router::new()
        .push(route("id").get(id).head(id))
        .push(route("extract").get(id))
        .push(route("inbound").get(inbound))
        .push(route("sleepy").get(sleepy))
        .push(route("stream").get(stream))
        .push(route("spawn").get(spawn))
        .push(route("seen").get(seen))
        .push(route("own").get(own))
        .push(route("opaque").get(opaque))
        .push(route("empty/{status}").get(empty))
        .push(route("fail").get(fail))
        .push(route("panic").get(panic))
        .push(route("ws").get(ws))
        .push(route("hang").get(hang))
        .push(route("hang-stream").get(hang_stream))
}

#[handler]
async fn id() -> String {
    app::id()
}

#[handler]
async fn inbound(res: &mut Response) {
    res.render(Json(app::inbound()));
}

#[handler]
async fn sleepy(req: &mut Request, res: &mut Response) -> Result<(), ParseError> {
    let params: Params = req.parse_queries()?;
    res.render(Json(app::sleepy(params.steps, params.ms).await));
    Ok(())
}

#[handler]
async fn stream(req: &mut Request, res: &mut Response) -> Result<(), ParseError> {
    let params: Params = req.parse_queries()?;
    streamed(res, app::stream(params.chunks));
    Ok(())
}

#[handler]
async fn spawn(res: &mut Response) {
    res.render(Json(app::spawned().await));
}

#[handler]
async fn seen(req: &mut Request) -> String {
    app::seen(req.headers().get_all(CORRELATION_ID))
}

#[handler]
async fn own(res: &mut Response) -> Result<(), salvo::Error> {
    for (name, value) in app::OWN_HEADERS {
        res.add_header(name, value, true)?;
    }
    res.render(app::id());
    Ok(())
}

#[handler]
async fn opaque(res: &mut Response) -> Result<(), salvo::Error> {
    let (name, value) = app::OPAQUE_HEADER;
    res.add_header(name, value.as_bytes(), true)?;
    res.render(app::id());
    Ok(())
}

#[handler]
async fn empty(req: &mut Request, res: &mut Response) {
    let status = req.param::<u16>("status");
    res.status_code(
        status
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or_default(),
    );
}

#[handler]
async fn fail() -> Result<(), StatusError> {
    Err(StatusError::internal_server_error())
}

#[handler]
async fn panic() {
    panic!("boom");
}

/// salvo runs the callback in another task: `carry` takes the ID along.
#[handler]
async fn ws(req: &mut Request, res: &mut Response) -> Result<(), StatusError> {
    let converse = carry(async |mut socket: WebSocket| {
        while let Some(Ok(message)) = socket.recv().await {
            let answer = salvo::websocket::Message::text(app::id());
            if message.is_text() && socket.send(answer).await.is_err() {
                break;
            }
        }
    });
    WebSocketUpgrade::new().upgrade(req, res, converse).await
}

#[handler]
async fn hang(req: &mut Request) -> Result<String, ParseError> {
    let params: Params = req.parse_queries()?;
    Ok(probe::hang(&params.name).await)
}

#[handler]
async fn hang_stream(req: &mut Request, res: &mut Response) -> Result<(), ParseError> {
    let params: Params = req.parse_queries()?;
    streamed(res, probe::hang_stream(&params.name));
    Ok(())
}

fn streamed(res: &mut Response, lines: impl Stream<Item = String> + Send + 'static) {
    let _ = res.add_header("content-type", "text/plain; charset=utf-8", true);
    res.stream(lines.map(Ok::<_, Infallible>));
}
