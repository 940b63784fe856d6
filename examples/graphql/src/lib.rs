#![doc = include_str!("../README.md")]

pub mod async_graphql;
pub mod client;
pub mod connection;
pub mod operations;

use ::async_graphql::http::ALL_WEBSOCKET_PROTOCOLS;
use ::async_graphql::{EmptyMutation, Schema};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::get;
use correlation_axum::CorrelationLayer;
use correlation_axum::correlation::carry;

use crate::async_graphql::{Correlated, on_connection_init};
use crate::operations::{Countdown, Query};

/// Makes the service. `/graphql` is a WebSocket with the protocol `graphql-transport-ws`.
pub fn app() -> Router {
    Router::new()
        .route("/graphql", get(upgrade))
        .layer(CorrelationLayer::new())
}

async fn upgrade(upgrade: WebSocketUpgrade, protocol: GraphQLProtocol) -> Response {
    let schema = Correlated(Schema::new(Query, EmptyMutation, Countdown));
    let upgrade = upgrade.protocols(ALL_WEBSOCKET_PROTOCOLS);
    // axum runs the callback in a separate task, and `carry` takes the ID of the request there.
    upgrade.on_upgrade(carry(move |socket| {
        GraphQLWebSocket::new(socket, schema, protocol)
            .on_connection_init(on_connection_init)
            .serve()
    }))
}
