//! The way in, with axum: takes a purchase, lets orders do the work, answers the customer.

use std::net::SocketAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use correlation_axum::CorrelationLayer;

use super::downstream::{Downstream, Refused};
use super::messages::{Confirmation, Purchase, Refusal};
use super::{Service, bound, lifeline};
use crate::Failure;

#[tokio::main]
pub(super) async fn run(listen: SocketAddr) -> Result<(), Failure> {
    let app = Router::new()
        .route("/purchase", post(purchase))
        .with_state(Downstream::from_env(Service::Orders)?)
        .layer(CorrelationLayer::new());

    let listener = bound(listen).await?;
    axum::serve(listener, app)
        .with_graceful_shutdown(lifeline::ended())
        .await?;
    Ok(())
}

async fn purchase(
    State(orders): State<Downstream>,
    Json(purchase): Json<Purchase>,
) -> Result<(StatusCode, Json<Confirmation>), (StatusCode, Json<Refusal>)> {
    started(&purchase);
    match orders.post("/orders", &purchase).await {
        Ok(confirmation) => {
            finished(&confirmation);
            Ok((StatusCode::CREATED, Json(confirmation)))
        }
        Err(refused) => {
            failed(&refused);
            let status = StatusCode::from_u16(refused.status);
            let status = status.unwrap_or(StatusCode::BAD_GATEWAY);
            Err((status, Json(refused.refusal)))
        }
    }
}

fn started(purchase: &Purchase) {
    tracing::info!(
        cart = purchase.cart,
        items = purchase.items.len(),
        "purchase started"
    );
}

fn finished(confirmation: &Confirmation) {
    let Confirmation { order, total, .. } = confirmation;
    tracing::info!(order, %total, "purchase finished");
}

fn failed(refused: &Refused) {
    log::warn!("purchase failed: {}", refused.refusal.error);
}
