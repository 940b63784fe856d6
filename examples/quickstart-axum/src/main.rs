//! An axum service whose log lines, responses, calls and tasks all carry one correlation ID.
//!
//! `cargo run -p quickstart-axum`, and then `curl -i http://127.0.0.1:3000/buy`

use std::error::Error;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use correlation_axum::{CorrelationLayer, correlation};
use correlation_reqwest::{Propagate, reqwest_middleware::ClientWithMiddleware};
use tokio::net::TcpListener;
use tracing::info;

#[derive(Clone)]
struct Shop {
    client: ClientWithMiddleware,
    shipping: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    correlation::tracing::init(); // the ID on every log line

    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(listen).await?;
    let addr = listener.local_addr()?;
    let shop = Shop {
        client: reqwest::Client::builder().propagate()?.build(), // the ID on every call
        shipping: format!("http://{addr}/ship"),
    };
    let app = Router::new()
        .route("/buy", get(buy))
        .route("/ship", get(ship))
        .with_state(shop)
        .layer(CorrelationLayer::new()); // last: the ID in, around and out of every request

    info!("listening on http://{addr}");
    Ok(axum::serve(listener, app).await?)
}

async fn buy(State(shop): State<Shop>) -> Result<&'static str, (StatusCode, String)> {
    info!("order placed");
    let shipped = shop.client.get(&shop.shipping).send().await;
    shipped.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;

    correlation::spawn(async { info!("receipt mailed") }); // the ID in this task
    Ok("thank you\n")
}

/// Stands for another service: it has the ID from the header of the call.
async fn ship() {
    info!("order shipped");
}
