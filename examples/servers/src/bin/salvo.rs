//! A salvo service whose log lines, responses, calls and tasks all carry one correlation ID.
//!
//! `cargo run -p servers --bin salvo`, and then `curl -i http://127.0.0.1:3000/buy`

use std::error::Error;

use correlation_tower::{CorrelationLayer, PropagateLayer, correlation};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use salvo::conn::tcp::TcpAcceptor;
use salvo::prelude::*;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};
use tracing::info;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    correlation::tracing::init(); // the ID on every log line

    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(listen).await?;
    info!("listening on http://{}", listener.local_addr()?);
    let router = Router::new()
        .push(Router::with_path("buy").get(buy))
        .push(Router::with_path("ship").get(ship));
    // The layer is on the service and not on a router, so a request that matches no route has an
    // ID, too.
    let service = Service::new(router).hoop(CorrelationLayer::new().compat()); // in, around and out
    let acceptor = TcpAcceptor::try_from(listener)?;
    Ok(Server::new(acceptor).try_serve(service).await?)
}

#[handler]
async fn buy(request: &mut Request) -> Result<&'static str, StatusError> {
    info!("order placed");
    let addr = request.local_addr().clone().into_std();
    let addr = addr.ok_or_else(StatusError::not_found)?;
    let call = salvo::hyper::Request::get(format!("http://{addr}/ship")).body(String::new());
    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = PropagateLayer::new().layer(client); // the ID on this call
    let shipped = client.oneshot(call.map_err(|_| StatusError::bad_gateway())?);
    shipped.await.map_err(|_| StatusError::bad_gateway())?;

    correlation::spawn(async { info!("receipt mailed") }); // the ID in this task
    Ok("thank you\n")
}

/// Stands for another service: it has the ID from the header of the call.
#[handler]
async fn ship() -> &'static str {
    info!("order shipped");
    "shipped\n"
}
