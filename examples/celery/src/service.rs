//! The HTTP service. It takes orders, and the Python task calls it back.

use std::env;
use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use correlation_axum::CorrelationLayer;
use correlation_celery::Task;
use correlation_sqlx::Correlate;
use service_common::{Config, announce, terminated};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::net::TcpListener;
use tracing::{error, info};

use crate::broker::Broker;

pub(crate) async fn run(
    config: &Config,
    broker: Broker,
    queue: String,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    // PostgreSQL's log has the ID, too.
    let pool = |url: String| {
        let options = PgPoolOptions::new().correlate("service");
        options.connect_lazy(&url)
    };
    let database = env::var("DATABASE_URL").ok().map(pool).transpose()?;
    let app = Router::new()
        .route("/orders/{order}", post(order))
        .route("/receipts/{order}", post(receipt))
        .with_state((broker, queue.into(), database))
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
    State((broker, queue, database)): State<(Broker, Arc<str>, Option<PgPool>)>,
    Path(order): Path<u32>,
) -> StatusCode {
    info!(order, "order taken");
    if let Some(database) = database
        && let Err(error) = write_down(&database, order).await
    {
        error!(order, %error, "order not written down");
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    // The task takes the ID of the request, and no code has to pass it.
    let charge = Task::new("tasks.charge").arg(order);
    match broker.send(&charge, &queue).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(error) => {
            error!(order, %error, "order not sent");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn write_down(database: &PgPool, order: u32) -> sqlx::Result<()> {
    let table = sqlx::query("CREATE TABLE IF NOT EXISTS celery_orders (number BIGINT)");
    table.execute(database).await?;
    let insert = sqlx::query("INSERT INTO celery_orders VALUES ($1)");
    insert.bind(i64::from(order)).execute(database).await?;
    Ok(())
}

/// Called by the Python task, with the ID in `X-Correlation-ID`.
async fn receipt(Path(order): Path<u32>) -> StatusCode {
    info!(order, "receipt filed");
    StatusCode::NO_CONTENT
}
