//! sea-orm on PostgreSQL: the ID in the `application_name`, from the sqlx pool below it.

use correlation_sqlx::Correlate;
use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use sqlx::postgres::PgPoolOptions;

/// Makes a database whose connections have the name `shop/ID` while a task with this ID uses them,
/// and `shop` while a task without an ID does.
///
/// `ConnectOptions::map_sqlx_postgres_pool_opts(|options| options.correlate("shop").into())` does
/// the same. But then the `set_schema_search_path` of sea-orm is lost, because it is an
/// `after_connect` that was set before.
///
/// # Errors
///
/// If the URL is wrong, or the server cannot be reached.
pub async fn connect(url: &str, connections: u32) -> sqlx::Result<DatabaseConnection> {
    let options = PgPoolOptions::new().max_connections(connections);
    let pool = options.correlate("shop").connect(url).await?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}
