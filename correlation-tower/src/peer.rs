use std::net::SocketAddr;

use correlation_core::adapter::Peer;
use http::Extensions;

/// The address of the other end of the connection, as a request extension.
///
/// A server that knows the address inserts it.
/// [`Trust::networks`](correlation_core::Trust::networks) and
/// [`Trust::when`](correlation_core::Trust::when) read it.
///
/// With the feature `axum`, the layer also reads axum's `ConnectInfo<SocketAddr>`. A server on a
/// Unix socket inserts [`Peer::Local`] instead.
///
/// ```
/// use std::net::SocketAddr;
///
/// use correlation_tower::PeerAddr;
/// use http::Request;
///
/// let mut request = Request::new("body");
/// let peer: SocketAddr = ([10, 0, 0, 7], 52_100).into(); // from the listener
/// request.extensions_mut().insert(PeerAddr(peer));
/// ```
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
