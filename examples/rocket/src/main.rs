//! A Rocket service whose every log line, response and outbound call carries the correlation ID.
//!
//! Two lines do it: `.attach(Correlation::fairing())` on the rocket, and `.propagate()` on the
//! HTTP client. No handler below has an ID as an argument, unless it wants one.

mod outbound;

use std::collections::HashSet;
use std::process::ExitCode;

use correlation_reqwest::Propagate;
use correlation_rocket::{Correlation, CurrentId};
use reqwest_middleware::ClientBuilder;
use rocket::config::Shutdown;
use rocket::fairing::AdHoc;
use rocket::futures::{SinkExt, Stream, StreamExt};
use rocket::http::Status;
use rocket::response::stream::TextStream;
use rocket::serde::json::Json;
use rocket::{Build, FromForm, Request, Rocket, catch, catchers, get, routes};
use rocket_ws::{Channel, WebSocket};
use service_common::answers::{self, Inbound, Spawned};
use service_common::{Config, announce, logs, terminated};

// Not `#[rocket::main]`: for its runtime that one reads `ROCKET_*` and `Rocket.toml`, and this
// service is configured by the variables of `Config` alone.
#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::from_env_or_exit();
    // Before `rocket::custom`, which installs Rocket's own logger if there is none.
    logs::init(&config);

    match service(&config).launch().await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn service(config: &Config) -> Rocket<Build> {
    rocket::custom(rocket::Config {
        address: config.listen.ip(),
        port: config.listen.port(),
        // Rocket's own records are records like all others.
        cli_colors: false,
        // Rocket listens for signals only after it has said where it listens for requests.
        shutdown: Shutdown {
            ctrlc: false,
            #[cfg(unix)]
            signals: HashSet::new(),
            ..Shutdown::default()
        },
        ..rocket::Config::release_default()
    })
    // First, so that all other fairings see the ID.
    .attach(Correlation::fairing().policy(config.policy()))
    .attach(AdHoc::on_liftoff("announce", |rocket| {
        let (terminated, shutdown) = (terminated(), rocket.shutdown());
        tokio::spawn(async {
            terminated.await;
            shutdown.notify();
        });
        let config = rocket.config();
        // Port 0 has become the one that was picked.
        announce((config.address, config.port).into());
        Box::pin(async {})
    }))
    .manage(outbound::Outbound {
        // After this line no call has to think of the ID.
        client: ClientBuilder::new(reqwest::Client::new())
            .propagate()
            .build(),
        downstream: config.downstream.clone(),
    })
    .mount("/", routes![id, extract, inbound, sleepy, stream, spawn])
    .mount("/", routes![log, fail, panic, ws])
    .mount("/", routes![outbound::relay, outbound::test])
    .register("/", catchers![failed])
}

#[get("/id")]
fn id() -> String {
    answers::id()
}

/// For those who like to see in the signature that a handler needs the ID.
#[get("/extract")]
fn extract(id: CurrentId) -> String {
    id.0.into()
}

#[get("/inbound")]
fn inbound() -> Json<Inbound> {
    Json(answers::inbound())
}

#[derive(Clone, Copy, FromForm)]
struct Sleepy {
    #[field(default = 3)]
    steps: usize,
    #[field(default = 5)]
    ms: u64,
}

#[get("/sleepy?<query..>")]
async fn sleepy(query: Sleepy) -> Json<Vec<String>> {
    Json(answers::sleepy(query.steps, query.ms).await)
}

#[derive(Clone, Copy, FromForm)]
struct Chunks {
    #[field(default = 3)]
    chunks: usize,
}

/// The chunks are produced after this function has returned, and still know their ID.
#[get("/stream?<query..>")]
fn stream(query: Chunks) -> TextStream<impl Stream<Item = String>> {
    TextStream(answers::stream(query.chunks))
}

#[get("/spawn")]
async fn spawn() -> Json<Spawned> {
    Json(answers::spawned().await)
}

#[derive(Clone, Copy, FromForm)]
struct Log {
    #[field(default = 1)]
    n: usize,
}

#[get("/log?<query..>")]
fn log(query: Log) -> String {
    answers::log_lines(query.n)
}

#[get("/fail")]
fn fail() -> Result<(), Status> {
    Err(Status::InternalServerError)
}

/// Rocket answers with the catcher for 500.
#[get("/panic")]
fn panic() -> &'static str {
    panic!("boom")
}

/// The callback runs in the task of the request, and so it has the ID.
#[get("/ws")]
fn ws(socket: WebSocket) -> Channel<'static> {
    socket.channel(|mut socket| {
        Box::pin(async move {
            while let Some(message) = socket.next().await {
                if message?.is_text() {
                    socket.send(answers::id().into()).await?;
                }
            }
            Ok(())
        })
    })
}

/// Whatever goes wrong, the caller learns what to quote.
#[catch(default)]
fn failed(status: Status, _: &Request<'_>) -> String {
    format!("{status}, see {}\n", answers::id())
}
