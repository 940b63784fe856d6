#![doc = include_str!("../README.md")]

pub mod async_graphql;
pub mod client;
pub mod connection;
mod operations;
mod protocol;
mod socket;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::get;
use correlation_axum::{CorrelationLayer, carry};

/// The service: `/graphql` is a WebSocket that speaks `graphql-transport-ws`.
pub fn app() -> Router {
    Router::new()
        .route("/graphql", get(upgrade))
        .layer(CorrelationLayer::new())
}

async fn upgrade(upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols([protocol::NAME])
        // axum runs the callback in a task of its own: `carry` takes the ID of the request along.
        .on_upgrade(carry(socket::serve))
}
