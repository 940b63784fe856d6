//! The contract app on warp.

use std::convert::Infallible;
use std::io;

use correlation_testkit::app::{self, Params};
use correlation_testkit::{CORRELATION_ID, probe};
use correlation_warp::CurrentId;
use correlation_warp::correlation::carry;
use futures_util::{SinkExt, Stream, StreamExt};
use service_common::{Config, announce, terminated};
use tokio::net::TcpListener;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, Response, StatusCode};
use warp::reject::{self, Reject, Rejection};
use warp::reply::{self, json};
use warp::ws::{Message, WebSocket, Ws};
use warp::{Filter, Reply, body, header, path, query};

use crate::outbound::{Call, Failed, Outbound};

/// The process.
///
/// # Errors
///
/// If the address cannot be listened on.
pub async fn run(config: Config) -> io::Result<()> {
    let listener = TcpListener::bind(config.listen).await?;
    let terminated = terminated();
    announce(listener.local_addr()?);
    correlation_warp::serve(routes(config.downstream.clone()))
        .policy(config.policy())
        .incoming(listener)
        .graceful(terminated)
        .run()
        .await;
    Ok(())
}

/// The app without our server or our filter.
pub fn routes(downstream: Option<String>) -> BoxedFilter<(impl Reply,)> {
    let outbound = Outbound::new(downstream);
    let outbound = warp::any().map(move || outbound.clone());
    let get = |name| {
        let method = warp::get().or(warp::head()).unify();
        path(name).and(path::end()).and(method)
    };
    let post = |name| path(name).and(path::end()).and(warp::post());

    let id = get("id").map(app::id);
    let extract = get("extract").and(correlation_warp::id());
    let extract = extract.map(|id: CurrentId| id.to_string());
    let inbound = get("inbound").map(|| json(&app::inbound()));
    let sleepy = get("sleepy").and(query());
    let sleepy = sleepy.then(async |p: Params| json(&app::sleepy(p.steps, p.ms).await));
    let stream = get("stream").and(query());
    let stream = stream.map(|p: Params| streamed(app::stream(p.chunks)));
    let spawn = get("spawn").then(async || json(&app::spawned().await));
    let log = get("log").and(query());
    let log = log.map(|p: Params| app::log_lines(p.n, &p.say));
    let relay = get("relay").and(query()).and(outbound.clone()).then(relay);
    let test = post("test").and(body::json()).and(outbound).then(test);
    let seen = get("seen").and(header::headers_cloned());
    let seen = seen.map(|headers: HeaderMap| app::seen(headers.get_all(CORRELATION_ID)));
    let own = get("own").map(own);
    let opaque = get("opaque").map(|| {
        let (name, value) = app::OPAQUE_HEADER;
        reply::with_header(app::id(), name, value.as_bytes())
    });
    let empty = path!("empty" / u16).and_then(empty);
    let fail = get("fail").and_then(fail);
    let panic = get("panic").map(|| -> String { panic!("boom") });
    let ws = get("ws").and(warp::ws()).map(ws);
    let hang = get("hang").and(query());
    let hang = hang.then(async |p: Params| probe::hang(&p.name).await);
    let hang_stream = get("hang-stream").and(query());
    let hang_stream = hang_stream.map(|p: Params| streamed(probe::hang_stream(&p.name)));

    id.or(extract)
        .or(inbound)
        .or(sleepy)
        .or(stream)
        .or(spawn)
        .or(log)
        .or(relay)
        .or(test)
        .or(seen)
        .or(own)
        .or(opaque)
        .or(empty)
        .or(fail)
        .or(panic)
        .or(ws)
        .or(hang)
        .or(hang_stream)
        .boxed()
}

async fn relay(params: Params, outbound: Outbound) -> Result<impl Reply, Failed> {
    let (status, body) = outbound.relay(&params.path).await?;
    Ok(Response::builder().status(status).body(body)?)
}

async fn test(calls: Vec<Call>, outbound: Outbound) -> Result<impl Reply, Failed> {
    outbound.test(calls).await?;
    Ok(json(&[(); 0]))
}

impl Reply for Failed {
    fn into_response(self) -> reply::Response {
        let status = StatusCode::from_u16(self.0).unwrap_or_default();
        reply::with_status(self.1, status).into_response()
    }
}

fn own() -> impl Reply {
    let [id, exposed] = app::OWN_HEADERS;
    let reply = reply::with_header(app::id(), id.0, id.1);
    reply::with_header(reply, exposed.0, exposed.1)
}

async fn empty(status: u16) -> Result<StatusCode, Rejection> {
    StatusCode::from_u16(status).map_err(|_| reject::not_found())
}

/// Nobody recovers this rejection: warp answers 500, and that has the header as well.
async fn fail() -> Result<String, Rejection> {
    Err(reject::custom(Failure))
}

#[derive(Debug)]
struct Failure;

impl Reject for Failure {}

/// warp runs the callback in another task: `carry` takes the ID along.
fn ws(ws: Ws) -> impl Reply {
    ws.on_upgrade(carry(async |mut socket: WebSocket| {
        while let Some(Ok(message)) = socket.next().await {
            let answer = Message::text(app::id());
            if message.is_text() && socket.send(answer).await.is_err() {
                break;
            }
        }
    }))
}

fn streamed(lines: impl Stream<Item = String> + Send + Sync + 'static) -> impl Reply {
    let body = reply::stream(lines.map(Ok::<_, Infallible>));
    reply::with_header(body, "content-type", "text/plain; charset=utf-8")
}
