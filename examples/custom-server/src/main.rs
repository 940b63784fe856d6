//! A server made of hyper and `correlation-core`, with no adapter: how little a server of your own
//! needs, so that every log line, response and outbound call carries the correlation ID.
//!
//! All of it is in `correlate.rs`; the outbound side is `.propagate()` on the HTTP client. The
//! rest is a server as any other.

mod app;
mod body;
mod correlate;
mod outbound;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use service_common::{Config, announce, logs, terminated};
use tokio::net::{TcpListener, TcpStream};

use crate::app::App;
use crate::correlate::Correlation;

#[tokio::main]
async fn main() -> io::Result<()> {
    let config = Config::from_env_or_exit();
    logs::init(&config);

    let listener = TcpListener::bind(config.listen).await?;
    let terminated = terminated();
    announce(listener.local_addr()?);
    let server = Arc::new(Server {
        correlation: Correlation::new(config.policy()),
        app: App::new(config.downstream),
    });
    serve(listener, server, terminated).await;
    Ok(())
}

struct Server {
    correlation: Correlation,
    app: App,
}

/// Accepts connections until the process is told to end, and lets their requests finish.
async fn serve(listener: TcpListener, server: Arc<Server>, terminated: impl Future<Output = ()>) {
    let connections = GracefulShutdown::new();
    let mut terminated = pin!(terminated);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut terminated => break,
        };
        let server = Arc::clone(&server);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move {
                let handler = |request| server.app.handle(request);
                let response = server.correlation.run(peer.ip(), request, handler).await;
                Ok::<_, Infallible>(response)
            }
        });
        let watcher = connections.watcher();
        tokio::spawn(async move {
            // HTTP/1.1, or HTTP/2 if the client begins with its preface.
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection.into_owned()).await {
                tracing::debug!("the connection failed: {error}");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// The next connection. A server that stops when it has no file descriptor left would not be
/// there when others give theirs back.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
