//! A warp service whose every log line, response and outbound call carries the correlation ID.
//!
//! Two lines do it: `correlation_warp::serve(routes)` in place of `warp::serve(routes)`, and
//! `.propagate()` on the HTTP client. No handler below has an ID as an argument, unless it wants
//! one.

mod outbound;

use std::convert::Infallible;
use std::io;

use correlation_warp::{CurrentId, carry};
use futures_util::{SinkExt, StreamExt};
use service_common::answers::{self, LogQuery, SleepyQuery, StreamQuery};
use service_common::{Config, announce, logs, terminated};
use tokio::net::TcpListener;
use warp::filters::BoxedFilter;
use warp::reject::{Reject, Rejection};
use warp::reply::{Json, json, stream, with_header};
use warp::ws::{Message, WebSocket, Ws};
use warp::{Filter, Reply, path, query};

use crate::outbound::Outbound;

#[tokio::main]
async fn main() -> io::Result<()> {
    let config = Config::from_env_or_exit();
    logs::init(&config);

    let listener = TcpListener::bind(config.listen).await?;
    let terminated = terminated();
    announce(listener.local_addr()?);
    // In place of `warp::serve`; the methods are the same.
    correlation_warp::serve(routes(Outbound::new(config.downstream.clone())))
        .policy(config.policy())
        .incoming(listener)
        .graceful(terminated)
        .run()
        .await;
    Ok(())
}

fn routes(outbound: Outbound) -> BoxedFilter<(impl Reply,)> {
    let get = |path| warp::path(path).and(path::end()).and(warp::get());

    let id = get("id").map(answers::id);
    // For those who like to see in the signature that a handler needs the ID.
    let extract = get("extract").and(correlation_warp::id());
    let extract = extract.map(|id: CurrentId| id.to_string());
    let inbound = get("inbound").map(|| json(&answers::inbound()));
    let sleepy = get("sleepy").and(query()).then(sleepy);
    let chunks = get("stream").and(query()).map(chunks);
    let spawn = get("spawn").then(async || json(&answers::spawned().await));
    let log = get("log").and(query());
    let log = log.map(|query: LogQuery| answers::log_lines(query.n));
    let fail = get("fail").and_then(fail);
    let panic = get("panic").map(|| -> String { panic!("boom") });
    let ws = get("ws").and(warp::ws()).map(ws);

    id.or(extract)
        .or(inbound)
        .or(sleepy)
        .or(chunks)
        .or(spawn)
        .or(log)
        .or(outbound::routes(outbound))
        .or(fail)
        .or(panic)
        .or(ws)
        .boxed()
}

async fn sleepy(query: SleepyQuery) -> Json {
    json(&answers::sleepy(query.steps, query.ms).await)
}

/// The chunks are produced after this function has returned, and still know their ID.
fn chunks(query: StreamQuery) -> impl Reply {
    let lines = answers::stream(query.chunks).map(Ok::<_, Infallible>);
    with_header(stream(lines), "content-type", "text/plain; charset=utf-8")
}

/// Nobody recovers this rejection: warp answers 500, and that has the header as well.
async fn fail() -> Result<String, Rejection> {
    Err(warp::reject::custom(Failure))
}

#[derive(Debug)]
struct Failure;

impl Reject for Failure {}

/// warp runs the callback in a task of its own: `carry` takes the ID along.
fn ws(ws: Ws) -> impl Reply {
    ws.on_upgrade(carry(async |mut socket: WebSocket| {
        while let Some(Ok(message)) = socket.next().await {
            let answer = Message::text(answers::id());
            if message.is_text() && socket.send(answer).await.is_err() {
                break;
            }
        }
    }))
}
