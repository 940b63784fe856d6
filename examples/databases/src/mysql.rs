//! MariaDB and MySQL with sqlx: the ID in a comment at the end of the statement.
//!
//! They have no name that a connection can change. A comment is in the process list, and in the
//! general and slow logs, on the line of the statement. A variable (`set @correlation_id = ?`) is a
//! line of its own in the general log, and in no list; and it stays on a connection that is given
//! back. Use it for triggers alone.

use correlation_sqlx::commented;
use sqlx::mysql::{MySql, MySqlArguments};
use sqlx::query::Query;

/// `sqlx::query` with the ID of the task that calls it: `... /*correlation_id='click-1'*/`. Outside
/// of any scope it is `sqlx::query` alone.
///
/// It is not kept prepared, since its text comes once: a round trip more for each statement.
pub fn query(sql: &'static str) -> Query<'static, MySql, MySqlArguments> {
    sqlx::query(commented(sql)).persistent(false)
}
