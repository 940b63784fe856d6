use std::future::{Pending, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use correlation_core::adapter::Peer;

use correlation_core::Policy;
use correlation_tower::{CorrelationLayer, PeerAddr};
use futures_util::future::{Either, select};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::time::sleep;
use tower_layer::Layer;
use tower_service::Service;
use warp::{Filter, Reply};

/// Serves routes as [`warp::serve`] does, with a correlation ID for every request.
///
/// Every answer of warp carries the ID, rejections included.
///
/// ```no_run
/// use warp::Filter;
///
/// # #[tokio::main] async fn main() {
/// let routes = warp::any().map(|| "hello");
/// correlation_warp::serve(routes).run(([127, 0, 0, 1], 3000)).await;
/// # }
/// ```
pub fn serve<F>(routes: F) -> Server<F>
where
    F: Filter<Extract: Reply> + Clone + Send + Sync + 'static,
{
    Server {
        routes,
        layer: CorrelationLayer::new(),
        listener: Unbound,
        shutdown: pending(),
    }
}

/// A server of warp filters, for HTTP/1 and, without TLS, HTTP/2. [`serve`] makes it.
///
/// It has the methods of warp's own server, and [`policy`](Self::policy).
#[derive(Debug)]
#[must_use = "a server does nothing until it is run"]
pub struct Server<F, L = Unbound, S = Pending<()>> {
    routes: F,
    layer: CorrelationLayer,
    listener: L,
    shutdown: S,
}

impl<F, L, S> Server<F, L, S> {
    /// Sets the rules for inbound requests.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.layer = self.layer.policy(policy);
        self
    }

    /// Stops accepting connections when `signal` is done, and then waits for the requests that are
    /// being served.
    pub fn graceful<T>(self, signal: T) -> Server<F, L, T>
    where
        T: Future<Output = ()> + Send + 'static,
    {
        Server {
            routes: self.routes,
            layer: self.layer,
            listener: self.listener,
            shutdown: signal,
        }
    }
}

impl<F, S> Server<F, Unbound, S>
where
    F: Filter<Extract: Reply> + Clone + Send + Sync + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    /// Binds to an address and runs the server.
    ///
    /// # Panics
    ///
    /// If the address cannot be bound. To handle that case, bind a listener and call
    /// [`incoming`](Self::incoming).
    pub async fn run(self, addr: impl Into<SocketAddr>) {
        self.bind(addr).await.run().await;
    }

    /// Binds to an address.
    ///
    /// # Panics
    ///
    /// If the address cannot be bound. To handle that case, bind a listener and call
    /// [`incoming`](Self::incoming).
    pub async fn bind(self, addr: impl Into<SocketAddr>) -> Server<F, TcpListener, S> {
        let addr = addr.into();
        let listener = TcpListener::bind(addr).await;
        self.incoming(listener.unwrap_or_else(|error| panic!("cannot bind {addr}: {error}")))
    }

    /// Accepts connections from this listener.
    pub fn incoming<A: Accept>(self, listener: A) -> Server<F, A, S> {
        Server {
            routes: self.routes,
            layer: self.layer,
            listener,
            shutdown: self.shutdown,
        }
    }
}

impl<F, L, S> Server<F, L, S>
where
    F: Filter<Extract: Reply> + Clone + Send + Sync + 'static,
    L: Accept,
    S: Future<Output = ()> + Send + 'static,
{
    /// Runs until the signal of [`graceful`](Self::graceful) is done, or forever if there is none.
    pub async fn run(mut self) {
        let service = self.layer.layer(warp::service(self.routes));
        let connections = GracefulShutdown::new();
        let mut shutdown = pin!(self.shutdown);
        loop {
            let accepted = pin!(next(&mut self.listener));
            let Either::Right(((io, peer), _)) = select(&mut shutdown, accepted).await else {
                break;
            };
            let service = service.clone();
            let service = service_fn(move |mut request: Request<Incoming>| {
                match peer {
                    Some(peer) => drop(request.extensions_mut().insert(PeerAddr(peer))),
                    None => drop(request.extensions_mut().insert(Peer::Local)),
                }
                service.clone().call(request)
            });
            let watcher = connections.watcher();
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let connection = server.serve_connection_with_upgrades(TokioIo::new(io), service);
                if let Err(error) = watcher.watch(connection).await {
                    tracing::debug!("connection error: {error}");
                }
            });
        }
        drop(self.listener);
        connections.shutdown().await;
    }
}

/// Returns the next connection. No failed `accept` ends the server.
async fn next<L: Accept>(listener: &mut L) -> (L::Io, Option<SocketAddr>) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => match error.kind() {
                // This one connection ended before the server accepted it.
                ConnectionAborted | ConnectionRefused | ConnectionReset => {}
                // The process or the system has run out of a resource, usually of file descriptors.
                // It gets some back after a while. Without the pause, this loop would spin until
                // then.
                _ => {
                    tracing::error!("accept error: {error}");
                    sleep(Duration::from_secs(1)).await;
                }
            },
        }
    }
}

/// A [`Server`] that has no listener yet.
#[derive(Clone, Copy, Debug)]
pub struct Unbound;

/// A source of connections for a [`Server`]: a [`TcpListener`], a [`UnixListener`], or your own
/// type.
pub trait Accept: Send + 'static {
    /// A connection.
    type Io: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Waits for the next connection, and returns it with the address of its other end.
    ///
    /// [`Trust::networks`](correlation_core::Trust::networks) and [`remote`](crate::remote) see
    /// that address. Return `None` for a connection that has no address, as on a Unix socket. No
    /// network covers it.
    ///
    /// # Errors
    ///
    /// If no connection can be accepted now. The server tries again at once if the connection was
    /// refused, reset or aborted, and otherwise after one second.
    fn accept(&mut self)
    -> impl Future<Output = io::Result<(Self::Io, Option<SocketAddr>)>> + Send;
}

impl Accept for TcpListener {
    type Io = tokio::net::TcpStream;

    async fn accept(&mut self) -> io::Result<(Self::Io, Option<SocketAddr>)> {
        let (io, peer) = Self::accept(self).await?;
        Ok((io, Some(peer)))
    }
}

#[cfg(unix)]
impl Accept for UnixListener {
    type Io = tokio::net::UnixStream;

    async fn accept(&mut self) -> io::Result<(Self::Io, Option<SocketAddr>)> {
        let (io, _) = Self::accept(self).await?;
        Ok((io, None))
    }
}
