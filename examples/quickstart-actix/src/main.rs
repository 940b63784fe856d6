//! An actix-web service whose log lines, responses, calls and tasks all carry one correlation ID.
//!
//! `cargo run -p quickstart-actix`, and then `curl -i http://127.0.0.1:3000/buy`

use std::net::TcpListener;

use actix_web::error::ErrorBadGateway;
use actix_web::web::{Data, get};
use actix_web::{App, Error, HttpServer, rt};
use correlation_actix::correlation::{self, InCurrent};
use correlation_actix::{Correlation, Propagate};
use tracing::info;

struct Shop {
    client: awc::Client,
    shipping: String,
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    correlation::tracing::init(); // the ID on every log line

    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(listen)?;
    let addr = listener.local_addr()?;
    info!("listening on http://{addr}");
    HttpServer::new(move || {
        let shop = Shop {
            client: awc::Client::builder().wrap(Propagate::new()).finish(), // the ID on every call
            shipping: format!("http://{addr}/ship"),
        };
        App::new()
            .app_data(Data::new(shop))
            .route("/buy", get().to(buy))
            .route("/ship", get().to(ship))
            .wrap(Correlation::new()) // last: the ID in, around and out of every request
    })
    .listen(listener)?
    .run()
    .await
}

async fn buy(shop: Data<Shop>) -> Result<&'static str, Error> {
    info!("order placed");
    let shipped = shop.client.get(&shop.shipping).send().await;
    shipped.map_err(ErrorBadGateway)?;

    rt::spawn(async { info!("receipt mailed") }.in_current()); // the ID in this task
    Ok("thank you\n")
}

/// Stands for another service: it has the ID from the header of the call.
async fn ship() -> &'static str {
    info!("order shipped");
    "shipped\n"
}
