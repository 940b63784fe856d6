//! SQLite with sqlx: the ID on the line that the program logs for each statement.
//!
//! SQLite is a library without a server. So there is no log and no list of connections that could
//! show an ID. Only sqlx's own log (target `sqlx::query`, level debug) can show it. A thread of
//! sqlx runs the statements and writes that log, and gets only the current span.

use correlation_core::current;
use tracing::{Instrument, Span, info_span};

/// Runs statements so that their lines have the ID of the calling task. Outside any scope they have
/// none.
///
/// ```
/// # async fn example(pool: sqlx::SqlitePool) -> sqlx::Result<()> {
/// use databases::sqlite::with_id;
///
/// with_id(sqlx::query("delete from carts").execute(&pool)).await?;
/// # Ok(()) }
/// ```
///
/// With `Policy::request_span(true)`, a request already has such a span, and you need nothing else.
pub async fn with_id<F: Future>(statements: F) -> F::Output {
    let span = current().map_or_else(Span::none, |id| info_span!("sqlite", correlation_id = %id));
    statements.instrument(span).await
}
