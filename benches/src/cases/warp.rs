//! One request through warp's filters, in process.

use std::convert::Infallible;

use correlation_warp::{CorrelationLayer, correlated};
use http::{HeaderMap, Request};
use http_body_util::Empty;
use tower::{Layer, Service};
use warp::{Filter, Reply};

use super::axum::{FLOOR, tower_http_pair};
use super::by_hand::SHARED;
use super::floor::Floor;
use super::{CALLERS, NAME, OTHERS, by_hand, headers};
use crate::Group;

pub(crate) fn groups() -> Vec<Group> {
    let kinds: [fn(&str, Option<&'static str>) -> Group; 2] = [serve, filter];
    kinds
        .into_iter()
        .flat_map(|kind| CALLERS.map(|(what, id)| kind(what, id)))
        .collect()
}

fn serve(what: &str, id: Option<&'static str>) -> Group {
    let [bare, ours, pair, floor] = std::array::from_fn(|_| headers(OTHERS, id));
    Group::new(
        format!("warp, serve, {what}"),
        "7 other headers, the body read to its end. The layer that serve() puts around warp's \
         filters as a service; without a connection.",
    )
    .bare("filters", move || request(bare, warp::service(routes())))
    .ours("serve's layer", move || {
        request(ours, CorrelationLayer::new().layer(warp::service(routes())))
    })
    .peer("tower-http pair", move || {
        request(pair, tower_http_pair().service(warp::service(routes())))
    })
    .peer(FLOOR, move || {
        request(floor, Floor(warp::service(routes())))
    })
}

fn filter(what: &str, id: Option<&'static str>) -> Group {
    let [bare, ours, hand] = std::array::from_fn(|_| headers(OTHERS, id));
    Group::new(
        format!("warp, filter, {what}"),
        "7 other headers, the body read to its end. By hand means the ID in a task-local of a \
         handler alone.",
    )
    .bare("filters", move || request(bare, warp::service(routes())))
    .ours("wrap_fn(correlated)", move || {
        request(
            ours,
            warp::service(routes().with(warp::wrap_fn(correlated))),
        )
    })
    .peer("by hand", move || {
        request(hand, warp::service(routes_by_hand()))
    })
}

pub(crate) fn routes()
-> impl Filter<Extract: Reply, Error = warp::Rejection> + Clone + Send + Sync + 'static {
    warp::path::end().map(|| "ok")
}

fn routes_by_hand()
-> impl Filter<Extract: Reply, Error = warp::Rejection> + Clone + Send + Sync + 'static {
    warp::path::end()
        .and(warp::header::headers_cloned())
        .then(|headers: HeaderMap| {
            let id: std::sync::Arc<str> = by_hand::receive(&headers).into();
            SHARED.scope(id.clone(), async move {
                warp::reply::with_header("ok", NAME, &*id)
            })
        })
}

fn request<S, B>(headers: HeaderMap, service: S) -> impl FnMut() -> usize
where
    S: Service<Request<Empty<axum::body::Bytes>>, Response = http::Response<B>, Error = Infallible>
        + 'static,
    B: http_body::Body<Data = axum::body::Bytes> + 'static,
{
    super::axum::request(headers, service)
}
