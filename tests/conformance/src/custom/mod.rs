//! The contract app on hyper and `correlation-core`, with no adapter.
//!
//! `correlate` has all that the correlation ID needs; the rest is a server as any other.

mod app;
mod correlate;

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
use service_common::{Config, announce, terminated};
use tokio::net::{TcpListener, TcpStream};

use crate::outbound::Outbound;
use correlate::Correlation;

/// The process.
///
/// # Errors
///
/// If the address cannot be listened on.
pub async fn run(config: Config) -> io::Result<()> {
    let listener = TcpListener::bind(config.listen).await?;
    let mut terminated = pin!(terminated());
    announce(listener.local_addr()?);
    let correlation = Correlation::new(config.policy());
    let server = Arc::new((correlation, Outbound::new(config.downstream)));
    let connections = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut terminated => break,
        };
        let server = Arc::clone(&server);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move {
                let (correlation, outbound) = &*server;
                let handler = |request| app::handle(outbound, request);
                Ok::<_, Infallible>(correlation.run(peer.ip(), request, handler).await)
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
    Ok(())
}

/// The next connection. A failure to accept, as when there are too many open files, passes.
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
