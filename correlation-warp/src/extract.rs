use std::convert::Infallible;
use std::fmt;
use std::future::ready;
use std::net::SocketAddr;
use std::ops::Deref;

use correlation_core::{CorrelationId, current};
use correlation_tower::PeerAddr;
use warp::reject::{Reject, Rejection};
use warp::{Filter, reject};

/// The correlation ID of the request, as an argument of a handler. The filter [`id`] extracts it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CurrentId(pub CorrelationId);

impl Deref for CurrentId {
    type Target = CorrelationId;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Extracts the ID of the request.
///
/// It is the same ID as [`current()`] returns, if you prefer to see it in the signature. If the
/// request has no ID, the filter rejects it with [`MissingId`].
///
/// ```
/// use correlation_warp::{CurrentId, correlated};
/// use warp::Filter;
///
/// let quote = correlation_warp::id().map(|id: CurrentId| format!("quote {} to us", *id));
/// let routes = quote.with(warp::wrap_fn(correlated));
/// # let _ = warp::serve(routes);
/// ```
pub fn id() -> impl Filter<Extract = (CurrentId,), Error = Rejection> + Copy {
    let current = || current().map(CurrentId).ok_or(MissingId(()));
    warp::any().and_then(move || ready(current().map_err(reject::custom)))
}

/// The rejection of a request that has no correlation ID, because nothing gave it one. Warp answers
/// 500.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct MissingId(());

impl Reject for MissingId {}

/// Says what to do. If nobody recovers the rejection, warp answers with this text and logs it.
impl fmt::Debug for MissingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no correlation ID: are the routes served with `correlation_warp::serve`, or wrapped \
             in `correlated`?",
        )
    }
}

/// Extracts the address of the other end of the connection.
///
/// [`warp::addr::remote`] finds nothing under [`serve`](crate::serve), because only warp's own
/// server can set the value that it reads. This filter works with both servers.
///
/// ```
/// use std::net::SocketAddr;
///
/// use warp::Filter;
///
/// let routes = correlation_warp::remote().map(|peer: Option<SocketAddr>| match peer {
///     Some(peer) => format!("you are {peer}"),
///     None => "you are on a Unix socket".to_owned(),
/// });
/// # let _ = correlation_warp::serve(routes);
/// ```
pub fn remote() -> impl Filter<Extract = (Option<SocketAddr>,), Error = Infallible> + Copy {
    warp::ext::optional::<PeerAddr>()
        .and(warp::addr::remote())
        .map(|ours: Option<PeerAddr>, warps| ours.map(|peer| peer.0).or(warps))
}
