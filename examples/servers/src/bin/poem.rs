//! A poem service whose log lines, responses, calls and tasks all carry one correlation ID.
//!
//! `cargo run -p servers --bin poem`, and then `curl -i http://127.0.0.1:3000/buy`

use std::{convert::Infallible, error::Error, mem, sync::Arc};

use correlation_tower::{CorrelationLayer, PeerAddr, PropagateLayer, correlation};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use poem::{Endpoint, EndpointExt, Request, Response, Route, Server, error, get, handler, http};
use poem::{listener::TcpAcceptor, web::LocalAddr};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};
use tracing::info;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    correlation::tracing::init(); // the ID on every log line

    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(listen).await?;
    info!("listening on http://{}", listener.local_addr()?);
    let layer = CorrelationLayer::new();
    let app = Route::new()
        .at("/buy", get(buy))
        .at("/ship", get(ship))
        .around(move |app, request| correlated(layer.clone(), app, request)); // last: in, around and out
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    Ok(Server::new_with_acceptor(acceptor).run(app).await?)
}

/// Wraps the layer around an app. The request travels as the body of a request that tower knows. So
/// the app keeps everything that poem's `compat()` drops: WebSockets and the peer's address.
pub(crate) async fn correlated(
    layer: CorrelationLayer,
    app: Arc<impl Endpoint>,
    mut request: Request,
) -> poem::Result<Response> {
    let mut outer = http::Request::new(());
    *outer.method_mut() = request.method().clone();
    *outer.uri_mut() = request.uri().clone();
    mem::swap(outer.headers_mut(), request.headers_mut());
    if let Some(addr) = request.remote_addr().as_socket_addr() {
        outer.extensions_mut().insert(PeerAddr(*addr));
    }
    let service = layer.layer(service_fn(async |outer: http::Request<Request>| {
        let (parts, mut request) = outer.into_parts();
        *request.headers_mut() = parts.headers;
        let response = app.get_response(request).await;
        Ok::<http::Response<_>, Infallible>(response.into())
    }));
    let response = service.oneshot(outer.map(|()| request)).await;
    Ok(response.map_err(error::InternalServerError)?.into())
}

#[handler]
async fn buy(addr: &LocalAddr) -> poem::Result<&'static str> {
    info!("order placed");
    let addr = addr.as_socket_addr().ok_or(http::StatusCode::NOT_FOUND)?;
    let call = http::Request::get(format!("http://{addr}/ship")).body(String::new());
    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = PropagateLayer::new().layer(client); // the ID on this call
    let shipped = client.oneshot(call.map_err(error::BadGateway)?).await;
    shipped.map_err(error::BadGateway)?;

    correlation::spawn(async { info!("receipt mailed") }); // the ID in this task
    Ok("thank you\n")
}

/// Stands for another service: it has the ID from the header of the call.
#[handler]
async fn ship() {
    info!("order shipped");
}
