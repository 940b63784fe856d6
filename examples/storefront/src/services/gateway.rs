//! The entrance, with axum: takes a purchase, passes the work to orders, and answers the customer.
//! It also serves the page.

use std::net::SocketAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use correlation_axum::CorrelationLayer;
use tokio::sync::watch;

use super::downstream::{Downstream, Refused};
use super::messages::{Confirmation, Purchase, Refusal};
use super::stories::{Stories, story};
use super::{Service, bound, lifeline};
use crate::Failure;
use crate::logs::Folder;

#[tokio::main]
pub(super) async fn run(listen: SocketAddr, logs: Folder) -> Result<(), Failure> {
    let (open, closing) = watch::channel(());
    let page = Router::new()
        .route(
            "/",
            file("text/html; charset=utf-8", include_str!("page/index.html")),
        )
        .route("/page.css", file("text/css", include_str!("page/page.css")))
        .route(
            "/page.js",
            file("text/javascript", include_str!("page/page.js")),
        )
        .route(
            "/icon.svg",
            file("image/svg+xml", include_str!("page/icon.svg")),
        )
        .route("/stories/{id}", get(story))
        .with_state(Stories::new(logs, closing));
    let app = Router::new()
        .route("/purchase", post(purchase))
        .with_state(Downstream::from_env(Service::Orders)?)
        .merge(page)
        .layer(CorrelationLayer::new());

    let listener = bound(listen).await?;
    let ended = async {
        lifeline::ended().await;
        // Shutdown waits for all answers, and a story does not end by itself.
        drop(open);
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(ended)
        .await?;
    Ok(())
}

/// Serves a file of the page. The page loads nothing from elsewhere, and runs no script or style in
/// its text.
fn file(kind: &'static str, text: &'static str) -> MethodRouter<Stories> {
    let policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    get(move || async move { (headers, text).into_response() })
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
