//! A warp service whose log lines, responses, calls and tasks all carry one correlation ID.
//!
//! `cargo run -p quickstart-warp`, and then `curl -i http://127.0.0.1:3000/buy`

use std::error::Error;

use correlation_reqwest::{Propagate, reqwest_middleware::ClientWithMiddleware};
use correlation_warp::correlation;
use tokio::net::TcpListener;
use tracing::info;
use warp::http::StatusCode;
use warp::{Filter, Reply};

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
    let with_shop = warp::any().map(move || shop.clone());
    let buy = warp::path!("buy").and(with_shop).then(buy);
    let ship = warp::path!("ship").map(ship);

    info!("listening on http://{addr}");
    // This replaces `warp::serve`. Every request has the ID, and so do its response and calls.
    let server = correlation_warp::serve(buy.or(ship)).incoming(listener);
    server.run().await;
    Ok(())
}

async fn buy(shop: Shop) -> Result<&'static str, impl Reply> {
    info!("order placed");
    if let Err(error) = shop.client.get(&shop.shipping).send().await {
        return Err(warp::reply::with_status(
            error.to_string(),
            StatusCode::BAD_GATEWAY,
        ));
    }
    correlation::spawn(async { info!("receipt mailed") }); // the ID in this task
    Ok("thank you\n")
}

/// Stands for another service: it has the ID from the header of the call.
fn ship() -> &'static str {
    info!("order shipped");
    "shipped\n"
}
