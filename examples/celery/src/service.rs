//! The HTTP service: takes orders, and is called back by the Python task.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use correlation_axum::CorrelationLayer;
use correlation_celery::Task;
use service_common::{Config, announce, terminated};
use tokio::net::TcpListener;
use tracing::{error, info};

use crate::broker::Broker;

pub(crate) async fn run(
    config: &Config,
    broker: Broker,
    queue: String,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let app = Router::new()
        .route("/orders/{order}", post(order))
        .route("/receipts/{order}", post(receipt))
        .with_state((broker, queue.into()))
        .layer(CorrelationLayer::new().policy(config.policy()));
    let listener = TcpListener::bind(config.listen).await?;
    let terminated = terminated();
    announce(listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(terminated)
        .await?;
    Ok(())
}

async fn order(
    State((broker, queue)): State<(Broker, Arc<str>)>,
    Path(order): Path<u32>,
) -> StatusCode {
    info!(order, "order taken");
    // The task takes the ID of the request along; nobody has to say so.
    let charge = Task::new("tasks.charge").arg(order);
    match broker.send(&charge, &queue).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(error) => {
            error!(order, %error, "order not sent");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Called by the Python task, with the ID in `X-Correlation-ID`.
async fn receipt(Path(order): Path<u32>) -> StatusCode {
    info!(order, "receipt filed");
    StatusCode::NO_CONTENT
}
