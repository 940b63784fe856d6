use std::net::SocketAddr;

use correlation_core::adapter::Peer;
use http::Extensions;

/// The address of the other end of the connection, as a request extension: a server that knows it
/// inserts it, so that [`Trust::networks`](correlation_core::Trust::networks) and
/// [`Trust::when`](correlation_core::Trust::when) can ask for it.
///
/// With the feature `axum` the `ConnectInfo<SocketAddr>` of axum is found as well. A server on a
/// Unix socket inserts [`Peer::Local`] instead.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PeerAddr(pub SocketAddr);

pub(crate) fn of(extensions: &Extensions) -> Peer {
    let known = extensions.get::<PeerAddr>().map(|peer| peer.0);
    #[cfg(feature = "axum")]
    let known = known.or_else(|| {
        extensions
            .get::<axum::extract::ConnectInfo<SocketAddr>>()
            .map(|info| info.0)
    });
    let other = || extensions.get().copied().unwrap_or(Peer::Unknown);
    known.map_or_else(other, |addr| Peer::Ip(addr.ip()))
}
