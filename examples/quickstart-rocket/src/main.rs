//! A Rocket service whose log lines, responses, calls and tasks all carry one correlation ID.
//!
//! `cargo run -p quickstart-rocket`, and then `curl -i http://127.0.0.1:8000/buy`

use correlation_reqwest::Propagate;
use correlation_reqwest::reqwest_middleware::{ClientWithMiddleware, Error};
use correlation_rocket::{Correlation, correlation};
use rocket::response::Debug;
use rocket::{Config, State, get, launch, routes};
use tracing::info;

#[launch]
fn rocket() -> _ {
    correlation::tracing::init(); // the ID on every log line; before Rocket's own logger

    let client: ClientWithMiddleware = reqwest::Client::builder()
        .propagate() // the ID on every call
        .expect("settings of the client")
        .build();
    // Rocket's own records have no colours.
    rocket::custom(Config::figment().merge(("cli_colors", false)))
        .attach(Correlation::fairing()) // first: the ID in, around and out of every request
        .manage(client)
        .mount("/", routes![buy, ship])
}

#[get("/buy")]
async fn buy(
    client: &State<ClientWithMiddleware>,
    config: &Config,
) -> Result<&'static str, Debug<Error>> {
    info!("order placed");
    let shipping = format!("http://{}:{}/ship", config.address, config.port);
    client.get(shipping).send().await?;

    correlation::spawn(async { info!("receipt mailed") }); // the ID in this task
    Ok("thank you\n")
}

/// Stands for another service: it has the ID from the header of the call.
#[get("/ship")]
fn ship() {
    info!("order shipped");
}
