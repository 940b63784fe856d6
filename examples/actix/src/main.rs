//! An actix-web service whose every log line, response and outbound call carries the correlation
//! ID.
//!
//! Two lines do it: `.wrap(Correlation::new())` on the app, and `.wrap(Propagate::new())` on the HTTP
//! client.
//! No handler below has an ID as an argument, unless it wants one.

mod outbound;
mod panics;
mod websocket;

use std::io;

use actix_web::error::ErrorInternalServerError;
use actix_web::middleware::{Logger, from_fn};
use actix_web::web::{Bytes, Data, Json, Query, ServiceConfig, resource};
use actix_web::{App, Error, HttpResponse, HttpServer};
use correlation_actix::{Correlation, CurrentId};
use futures_util::StreamExt;
use service_common::answers::{self, Inbound, LogQuery, SleepyQuery, Spawned, StreamQuery};
use service_common::{Config, announce, logs, terminated};

use outbound::Outbound;

#[actix_web::main]
async fn main() -> io::Result<()> {
    let config = Config::from_env_or_exit();
    logs::init(&config);

    // Made here, once; every worker thread builds its app from clones.
    let correlation = Correlation::new().policy(config.policy());
    let downstream = config.downstream;
    let server = HttpServer::new(move || {
        App::new()
            // Each worker thread has a client of its own.
            .app_data(Data::new(Outbound::new(downstream.clone())))
            .configure(routes)
            // Inside of `Correlation`, so that the 500 after a panic has the ID as well.
            .wrap(from_fn(panics::catch))
            // Inside as well: the access log has the ID.
            .wrap(Logger::default())
            // Last, and thereby outermost: all above is in its scope.
            .wrap(correlation.clone())
    })
    // By itself actix-web hears SIGTERM only once it runs: too late for one that is sent as soon
    // as the address is known.
    .shutdown_signal(terminated())
    // An open WebSocket would hold up the end for half a minute.
    .shutdown_timeout(5)
    .bind_auto_h2c(config.listen)?;
    server.addrs().into_iter().for_each(announce);
    server.run().await
}

fn routes(app: &mut ServiceConfig) {
    app.service(resource("/id").get(async || answers::id()))
        .service(resource("/extract").get(extract))
        .service(resource("/inbound").get(inbound))
        .service(resource("/sleepy").get(sleepy))
        .service(resource("/stream").get(stream))
        .service(resource("/spawn").get(spawn))
        .service(resource("/log").get(log))
        .service(resource("/relay").get(outbound::relay))
        .service(resource("/test").post(outbound::test))
        .service(resource("/fail").get(fail))
        .service(resource("/panic").get(panics::handler))
        .service(resource("/ws").get(websocket::handler));
}

/// For those who like to see in the signature that a handler needs the ID.
async fn extract(id: CurrentId) -> String {
    id.to_string()
}

async fn inbound() -> Json<Inbound> {
    Json(answers::inbound())
}

async fn sleepy(Query(query): Query<SleepyQuery>) -> Json<Vec<String>> {
    Json(answers::sleepy(query.steps, query.ms).await)
}

/// The chunks are produced after this function has returned, and still know their ID.
async fn stream(Query(query): Query<StreamQuery>) -> HttpResponse {
    let lines = answers::stream(query.chunks).map(|line| Ok::<_, Error>(Bytes::from(line)));
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .streaming(lines)
}

async fn spawn() -> Json<Spawned> {
    Json(answers::spawned().await)
}

async fn log(Query(query): Query<LogQuery>) -> String {
    answers::log_lines(query.n)
}

async fn fail() -> Result<String, Error> {
    Err(ErrorInternalServerError("out of order"))
}
