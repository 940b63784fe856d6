//! What the databases see, read from themselves: PostgreSQL, PgBouncer, MariaDB and SQLite.

mod bouncer;
mod hooks;
mod log;
mod mariadb;
mod poisoned;
mod pool;
mod sea;
mod statements;
mod story;

use correlation_sqlx::correlation::scope;
use correlation_testkit::{id, require_service};
use sqlx::PgPool;

const POSTGRES: &str = "postgres://postgres@127.0.0.1:5432/test";
const MARIADB: &str = "mysql://root@127.0.0.1:3306/test";

/// Whether there is a PostgreSQL to test with.
fn postgres() -> bool {
    require_service("PostgreSQL", 5432)
}

/// The `application_name` that a query of this pool has, in a request with this ID.
async fn name_for(pool: &PgPool, text: &str) -> String {
    scope(id(text), name_now(pool)).await
}

async fn name_now(pool: &PgPool) -> String {
    let name = sqlx::query_scalar("select current_setting('application_name')");
    name.fetch_one(pool).await.unwrap()
}
