//! The contract app as warp filters.

use std::convert::Infallible;

use correlation_testkit::{CORRELATION_ID, OWN_HEADERS, probe};
use correlation_warp::{CurrentId, carry};
use futures_util::{SinkExt, Stream, StreamExt};
use service_common::answers::{self, SleepyQuery, StreamQuery};
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, Response, StatusCode};
use warp::reject::{InvalidQuery, MethodNotAllowed};
use warp::ws::{Message, WebSocket, Ws};
use warp::{Filter, Rejection, Reply, header, path, query, reply};

pub(crate) fn routes() -> BoxedFilter<(impl Reply,)> {
    let id = path!("id").and(warp::get()).map(answers::id);
    let extract = path!("extract")
        .and(correlation_warp::id())
        .map(|id: CurrentId| id.to_string());
    let inbound = path!("inbound").map(|| reply::json(&answers::inbound()));
    let sleepy = path!("sleepy")
        .and(query())
        .then(|q: SleepyQuery| async move { reply::json(&answers::sleepy(q.steps, q.ms).await) });
    let stream = path!("stream")
        .and(query())
        .map(|q: StreamQuery| streamed(answers::stream(q.chunks)));
    let spawn = path!("spawn").then(async || reply::json(&answers::spawned().await));
    let seen = path!("seen")
        .and(header::headers_cloned())
        .map(|headers| seen(&headers));
    let own = path!("own").map(|| {
        let [id, exposed] = OWN_HEADERS;
        let reply = reply::with_header(answers::id(), id.0, id.1);
        reply::with_header(reply, exposed.0, exposed.1)
    });
    let fail = path!("fail").map(|| StatusCode::INTERNAL_SERVER_ERROR);
    let panic = path!("panic").map(boom);
    let ws = path!("ws")
        .and(warp::ws())
        .map(|ws: Ws| ws.on_upgrade(carry(echo_id)));
    let hang = path!("hang")
        .and(query())
        .then(async |q: probe::HangQuery| probe::hang(&q.name).await);
    let hang_stream = path!("hang-stream")
        .and(query())
        .map(|q: probe::HangQuery| streamed(probe::hang_stream(&q.name)));

    id.or(extract)
        .or(inbound)
        .or(sleepy)
        .or(stream)
        .or(spawn)
        .or(seen)
        .or(own)
        .or(fail)
        .or(panic)
        .or(ws)
        .or(hang)
        .or(hang_stream)
        .boxed()
}

/// The routes, with an answer to every rejection.
pub(crate) fn recovered(
    routes: BoxedFilter<(impl Reply + 'static,)>,
) -> impl Filter<Extract = (impl Reply,), Error = Infallible> + Clone {
    routes.recover(async |rejection: Rejection| {
        let status = if rejection.find::<InvalidQuery>().is_some() {
            StatusCode::BAD_REQUEST
        } else if rejection.find::<MethodNotAllowed>().is_some() {
            StatusCode::METHOD_NOT_ALLOWED
        } else {
            StatusCode::NOT_FOUND
        };
        Ok::<_, Infallible>(status)
    })
}

fn streamed(lines: impl Stream<Item = String> + Send + Sync + 'static) -> impl Reply {
    reply::stream(lines.map(Ok::<_, Infallible>))
}

fn seen(headers: &HeaderMap) -> String {
    let lines = headers.get_all(CORRELATION_ID).iter();
    let lines: Vec<_> = lines.filter_map(|id| id.to_str().ok()).collect();
    if lines.is_empty() {
        "none".to_owned()
    } else {
        lines.join(", ")
    }
}

fn boom() -> Response<&'static str> {
    panic!("boom")
}

async fn echo_id(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() && socket.send(Message::text(answers::id())).await.is_err() {
            break;
        }
    }
}
