//! How a test serves an app, and one with routes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;

use correlation_testkit::app;
use rocket::fairing::AdHoc;
use rocket::futures::Stream;
use rocket::response::stream::TextStream;
use rocket::serde::json::Json;
use rocket::{Build, Config, Rocket, config, get, routes};

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
    rocket().mount("/", routes![id, sleepy, streamed, panic])
}

#[get("/id")]
fn id() -> String {
    app::id()
}

#[get("/sleepy?<steps>&<ms>")]
async fn sleepy(steps: usize, ms: u64) -> Json<Vec<String>> {
    Json(app::sleepy(steps, ms).await)
}

#[get("/stream?<chunks>")]
fn streamed(chunks: usize) -> TextStream<impl Stream<Item = String>> {
    TextStream(app::stream(chunks))
}

#[get("/panic")]
fn panic() -> &'static str {
    panic!("boom")
}
