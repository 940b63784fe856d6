use std::net::{IpAddr, SocketAddr};

use http::Extensions;

/// The address of the other end of the connection, as a request extension: a server that knows it
/// inserts it, so that [`Trust::when`](correlation_core::Trust::when) can ask for it.
///
/// With the feature `axum` the `ConnectInfo<SocketAddr>` of axum is found as well.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PeerAddr(pub SocketAddr);

pub(crate) fn ip(extensions: &Extensions) -> Option<IpAddr> {
    let known = extensions.get::<PeerAddr>().map(|peer| peer.0);
    #[cfg(feature = "axum")]
    let known = known.or_else(|| {
        extensions
            .get::<axum::extract::ConnectInfo<SocketAddr>>()
            .map(|info| info.0)
    });
    known.map(|addr| addr.ip())
}
