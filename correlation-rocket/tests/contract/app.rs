//! The contract app, and how a test serves an app.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::time::Duration;

use correlation_rocket::CurrentId;
use correlation_testkit::{CORRELATION_ID, OWN_HEADERS, probe};
use rocket::fairing::AdHoc;
use rocket::futures::{SinkExt, Stream, StreamExt, stream};
use rocket::http::{Header, Status};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::stream::TextStream;
use rocket::serde::json::Json;
use rocket::tokio::time::sleep;
use rocket::{Build, Config, FromForm, Responder, Rocket, config, get, routes};
use rocket_ws::{Channel, WebSocket};
use service_common::answers::{self, Inbound, Spawned};

use crate::logs;

/// No environment variable and no file has a say.
pub(crate) fn rocket() -> Rocket<Build> {
    logs::init();
    rocket::custom(Config {
        address: Ipv4Addr::LOCALHOST.into(),
        port: 0,
        cli_colors: false,
        shutdown: config::Shutdown {
            ctrlc: false,
            signals: [].into(),
            ..config::Shutdown::default()
        },
        ..Config::release_default()
    })
}

/// Serves an app in the current runtime, until the test ends.
pub(crate) fn serve(rocket: Rocket<Build>) -> SocketAddr {
    let (lifted_off, listens) = mpsc::channel();
    let rocket = rocket.attach(AdHoc::on_liftoff("port", move |rocket| {
        let sent = lifted_off.send(rocket.config().port);
        Box::pin(async move { sent.unwrap() })
    }));
    tokio::spawn(rocket.launch());
    let port = tokio::task::block_in_place(|| listens.recv()).unwrap();
    (Ipv4Addr::LOCALHOST, port).into()
}

pub(crate) fn app() -> Rocket<Build> {
    rocket().mount(
        "/",
        routes![
            id,
            extract,
            inbound,
            sleepy,
            streamed,
            spawn,
            seen,
            own,
            fail,
            panic,
            ws,
            hang,
            hang_stream
        ],
    )
}

#[get("/id")]
fn id() -> String {
    answers::id()
}

#[get("/extract")]
fn extract(id: CurrentId) -> String {
    id.0.into()
}

#[get("/inbound")]
fn inbound() -> Json<Inbound> {
    Json(answers::inbound())
}

#[derive(FromForm)]
struct Sleepy {
    steps: usize,
    ms: u64,
}

#[get("/sleepy?<query..>")]
async fn sleepy(query: Sleepy) -> Json<Vec<String>> {
    Json(answers::sleepy(query.steps, query.ms).await)
}

#[get("/stream?<chunks>")]
fn streamed(chunks: usize) -> TextStream<impl Stream<Item = String>> {
    TextStream(answers::stream(chunks))
}

#[get("/spawn")]
async fn spawn() -> Json<Spawned> {
    Json(answers::spawned().await)
}

struct Seen(String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Seen {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let lines: Vec<_> = request.headers().get(CORRELATION_ID).collect();
        Outcome::Success(Self(if lines.is_empty() {
            "none".to_owned()
        } else {
            lines.join(", ")
        }))
    }
}

#[get("/seen")]
fn seen(seen: Seen) -> String {
    seen.0
}

#[derive(Responder)]
struct Own {
    body: String,
    id: Header<'static>,
    exposed: Header<'static>,
}

#[get("/own")]
fn own() -> Own {
    let [id, exposed] = OWN_HEADERS.map(|(name, value)| Header::new(name, value));
    let body = answers::id();
    Own { body, id, exposed }
}

#[get("/fail")]
fn fail() -> Result<(), Status> {
    Err(Status::InternalServerError)
}

#[get("/panic")]
fn panic() -> &'static str {
    panic!("boom")
}

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

#[get("/hang?<name>")]
async fn hang(name: &str) -> String {
    probe::hang(name).await
}

/// Rocket finds out that a client is gone when it writes, so something has to be written.
#[get("/hang-stream?<name>")]
fn hang_stream(name: &str) -> TextStream<impl Stream<Item = String> + use<>> {
    let ticks = stream::unfold((), |()| async {
        sleep(Duration::from_millis(5)).await;
        Some((String::from("\n"), ()))
    });
    TextStream(stream::select(probe::hang_stream(name), ticks))
}
