//! The contract app on Rocket.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use correlation_rocket::{Correlation, CurrentId};
use correlation_testkit::{CORRELATION_ID, app, probe};
use rocket::config::Shutdown;
use rocket::fairing::AdHoc;
use rocket::futures::{SinkExt, Stream, StreamExt, stream};
use rocket::http::{Header, Status};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response;
use rocket::response::stream::TextStream;
use rocket::serde::json::{Json, Value};
use rocket::{Build, FromForm, Responder, Rocket, State, get, post, routes};
use rocket_ws::{Channel, WebSocket};
use service_common::{Config, announce, terminated};
use tokio::time::sleep;

use crate::outbound::{Call, Failed, Outbound};

/// The process.
///
/// # Errors
///
/// If Rocket cannot be launched.
pub async fn run(config: Config) -> io::Result<()> {
    let failed = |error: rocket::Error| io::Error::other(error.to_string());
    let announce = AdHoc::on_liftoff("announce", |rocket| {
        let config = rocket.config();
        // Port 0 has become the one that was picked.
        announce((config.address, config.port).into());
        Box::pin(async {})
    });
    let fairing = Correlation::fairing().policy(config.policy());
    let app = app(config.listen, config.downstream);
    let app = app.attach(fairing).attach(announce).ignite().await;
    let app = app.map_err(failed)?;
    let (terminated, shutdown) = (terminated(), app.shutdown());
    tokio::select! {
        ended = app.launch() => ended.map(drop).map_err(failed),
        // In the task that polls Rocket. One that is told to end from another thread may find its
        // accept loop at its end before it looks whether it was told: then it waits for no answer
        // in progress, and fails.
        () = async { terminated.await; shutdown.notify(); pending().await } => Ok(()),
    }
}

/// The app without the fairing. No environment variable and no file has a say.
pub fn app(listen: SocketAddr, downstream: Option<String>) -> Rocket<Build> {
    rocket::custom(rocket::Config {
        address: listen.ip(),
        port: listen.port(),
        // Rocket's records are records like all others.
        cli_colors: false,
        shutdown: Shutdown {
            // Rocket hears signals only after it has said where it listens.
            ctrlc: false,
            #[cfg(unix)]
            signals: [].into(),
            // What is not answered after so many seconds is cut off, and the default of two is
            // little on a busy machine.
            grace: 5,
            ..Shutdown::default()
        },
        ..rocket::Config::release_default()
    })
    .manage(Outbound::new(downstream))
    .mount("/", routes![id, extract, inbound, sleepy, chunks, spawn])
    .mount("/", routes![log, relay, test, fail, panic, ws])
    .mount("/", routes![seen, own, opaque, empty, hang, hang_stream])
}

#[derive(Clone, Copy, FromForm)]
struct Params<'r> {
    #[field(default = 3)]
    steps: usize,
    #[field(default = 5)]
    ms: u64,
    #[field(default = 3)]
    chunks: usize,
    #[field(default = 1)]
    n: usize,
    #[field(default = "")]
    say: &'r str,
}

#[get("/id")]
fn id() -> String {
    app::id()
}

#[get("/extract")]
fn extract(id: CurrentId) -> String {
    id.0.into()
}

#[get("/inbound")]
fn inbound() -> Json<Value> {
    Json(app::inbound())
}

#[get("/sleepy?<params..>")]
async fn sleepy(params: Params<'_>) -> Json<Vec<String>> {
    Json(app::sleepy(params.steps, params.ms).await)
}

#[get("/stream?<params..>")]
fn chunks(params: Params<'_>) -> TextStream<impl Stream<Item = String> + use<>> {
    TextStream(app::stream(params.chunks))
}

#[get("/spawn")]
async fn spawn() -> Json<Value> {
    Json(app::spawned().await)
}

#[get("/log?<params..>")]
fn log(params: Params<'_>) -> String {
    app::log_lines(params.n, params.say)
}

#[get("/relay?<path>")]
async fn relay(
    path: Option<&str>,
    outbound: &State<Outbound>,
) -> Result<(Status, Vec<u8>), Failed> {
    let (status, body) = outbound.relay(path.unwrap_or("/id")).await?;
    Ok((Status::new(status), body.into()))
}

#[post("/test", data = "<calls>")]
async fn test(calls: Json<Vec<Call>>, outbound: &State<Outbound>) -> Result<Json<[(); 0]>, Failed> {
    outbound.test(calls.into_inner()).await?;
    Ok(Json([]))
}

impl<'r> response::Responder<'r, 'static> for Failed {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        (Status::new(self.0), self.1).respond_to(request)
    }
}

struct Seen(String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Seen {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Success(Self(app::seen(request.headers().get(CORRELATION_ID))))
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
    let [id, exposed] = app::OWN_HEADERS.map(|(name, value)| Header::new(name, value));
    let body = app::id();
    Own { body, id, exposed }
}

#[derive(Responder)]
struct Opaque {
    body: String,
    exposed: Header<'static>,
}

#[get("/opaque")]
fn opaque() -> Opaque {
    let (name, value) = app::OPAQUE_HEADER;
    Opaque {
        body: app::id(),
        exposed: Header::new(name, value),
    }
}

#[get("/empty/<status>")]
fn empty(status: u16) -> (Status, ()) {
    (Status::new(status), ())
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
                    socket.send(app::id().into()).await?;
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
