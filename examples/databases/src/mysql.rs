//! MariaDB and MySQL with sqlx: the ID in a comment at the end of the statement.
//!
//! These servers have no connection name that can change. A comment is in the process list, and in
//! the general and slow logs, on the line of the statement.
//!
//! A variable (`set @correlation_id = ?`) is a separate line in the general log, and is in no list.
//! It also stays on a connection that goes back to the pool. Use it only for triggers.

use correlation_sqlx::commented;
use sqlx::mysql::{MySql, MySqlArguments};
use sqlx::query::Query;

/// Does the same as `sqlx::query`, with the ID of the calling task: `...
/// /*correlation_id='click-1'*/`. Outside any scope it is just `sqlx::query`.
///
/// The statement does not stay prepared, because its text is used only once. That costs one more
/// round trip per statement.
pub fn query(sql: &'static str) -> Query<'static, MySql, MySqlArguments> {
    sqlx::query(commented(sql)).persistent(false)
}
