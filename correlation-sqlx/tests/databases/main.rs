//! What the databases see, read from themselves: PostgreSQL, PgBouncer, MariaDB and SQLite.

mod bouncer;
mod log;
mod mariadb;
mod pool;
mod process;
mod sea;
mod services;
mod statements;

use correlation_sqlx::correlation::{CorrelationId, scope};
use sqlx::PgPool;

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

/// The `application_name` that a query of this pool has, in a request with this ID.
async fn name_for(pool: &PgPool, text: &str) -> String {
    scope(id(text), name_now(pool)).await
}

async fn name_now(pool: &PgPool) -> String {
    let name = sqlx::query_scalar("select current_setting('application_name')");
    name.fetch_one(pool).await.unwrap()
}
