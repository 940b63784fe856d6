//! SQLite with sqlx: the ID on the line that the program logs for each statement.
//!
//! SQLite is a library: it has no server, so no log and no list of connections that could show an
//! ID to others. What is left is sqlx's own log (target `sqlx::query`, level debug). A thread of sqlx
//! runs the statements and writes it, and only the current span goes there along.

use correlation_core::current;
use tracing::{Instrument, Span, info_span};

/// Runs statements so that their lines have the ID of the task that calls it. Outside of any scope
/// they have none.
///
/// ```
/// # async fn example(pool: sqlx::SqlitePool) -> sqlx::Result<()> {
/// use databases::sqlite::with_id;
///
/// with_id(sqlx::query("delete from carts").execute(&pool)).await?;
/// # Ok(()) }
/// ```
///
/// With `Policy::request_span(true)` a request has such a span already, and you need nothing.
pub async fn with_id<F: Future>(statements: F) -> F::Output {
    let span = current().map_or_else(Span::none, |id| info_span!("sqlite", correlation_id = %id));
    statements.instrument(span).await
}
