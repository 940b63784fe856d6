use std::convert::Infallible;
use std::fmt;
use std::future::ready;
use std::net::SocketAddr;
use std::ops::Deref;

use correlation_core::{CorrelationId, current};
use correlation_tower::PeerAddr;
use warp::reject::{Reject, Rejection};
use warp::{Filter, reject};

/// The correlation ID of the request, as an argument of a handler: extracted by [`id`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CurrentId(pub CorrelationId);

impl Deref for CurrentId {
    type Target = CorrelationId;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A filter that extracts the ID of the request.
///
/// It is the same as [`current()`], for those who like to see it in the signature. Rejects with
/// [`MissingId`] where the request has none.
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

/// The request has no correlation ID, since nothing gave it one. Answers 500.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct MissingId(());

impl Reject for MissingId {}

/// What to do about it: warp answers and logs this when nobody recovers the rejection.
impl fmt::Debug for MissingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no correlation ID: are the routes served with `correlation_warp::serve`, or wrapped \
             in `correlated`?",
        )
    }
}

/// A filter that extracts the address of the other end of the connection.
///
/// As [`warp::addr::remote`], which finds nothing under [`serve`](crate::serve): only warp's own
/// server can set what it reads. This one knows both.
pub fn remote() -> impl Filter<Extract = (Option<SocketAddr>,), Error = Infallible> + Copy {
    warp::ext::optional::<PeerAddr>()
        .and(warp::addr::remote())
        .map(|ours: Option<PeerAddr>, warps| ours.map(|peer| peer.0).or(warps))
}
