//! The service on axum.

use std::io;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use correlation_axum::CorrelationLayer;
use service_common::{Config, announce, terminated};
use tokio::net::TcpListener;

use crate::downstream::Downstream;

#[tokio::main]
pub(crate) async fn run(config: &Config) -> io::Result<()> {
    let app = Router::new()
        .route("/hop/{purchase}", get(hop))
        .with_state(Downstream::new(config.downstream.clone()))
        .layer(CorrelationLayer::new().policy(config.policy()));
    let listener = TcpListener::bind(config.listen).await?;
    let terminated = terminated();
    announce(listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(terminated)
        .await
}

async fn hop(
    State(downstream): State<Downstream>,
    Path(purchase): Path<String>,
) -> Result<String, StatusCode> {
    let answer = downstream.hop("axum", &purchase).await;
    answer.map_err(|error| {
        tracing::error!(%error, "no answer for {purchase}");
        StatusCode::BAD_GATEWAY
    })
}
