//! A hyper server with no adapter, whose log lines, responses, calls and tasks all carry one ID.
//!
//! `cargo run -p quickstart-hyper`, and then `curl -i http://127.0.0.1:3000/buy`

use std::{error::Error, net::SocketAddr, sync::LazyLock};

use correlation_core::{self as correlation, Policy, scope};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, server::conn::http1, service::service_fn};
use hyper_util::{client::legacy::Client, rt::TokioExecutor, rt::TokioIo};
use tokio::net::TcpListener;
use tracing::info;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

static POLICY: LazyLock<Policy> = LazyLock::new(Policy::new); // whose IDs are accepted

#[tokio::main]
async fn main() -> Result<()> {
    correlation::tracing::init(); // the ID on every log line

    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(listen).await?;
    let addr = listener.local_addr()?;
    info!("listening on http://{addr}");
    loop {
        let (stream, peer) = listener.accept().await?;
        let service = service_fn(move |request| correlated(request, peer, addr));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Everything that your own server needs.
async fn correlated(
    request: Request<Incoming>,
    peer: SocketAddr,
    addr: SocketAddr,
) -> Result<Response<String>> {
    let decision = POLICY.receive(|| request.headers(), peer.ip()); // in
    let id = decision.context().id().into();
    let mut response = scope(decision.into_context(), handle(request, addr)).await?; // around
    response.headers_mut().insert("x-correlation-id", id); // and out
    Ok(response)
}

async fn handle(request: Request<Incoming>, addr: SocketAddr) -> Result<Response<String>> {
    if request.uri().path() == "/ship" {
        info!("order shipped"); // the ID came in the header of the call
        return Ok(Response::default());
    }
    info!("order placed");
    let mut call = Request::get(format!("http://{addr}/ship")).body(Empty::<Bytes>::new())?;
    correlation::inject(call.headers_mut()); // the ID on this call
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(call).await?;

    correlation::spawn(async { info!("receipt mailed") }); // the ID in this task
    Ok(Response::new("thank you\n".to_owned()))
}
