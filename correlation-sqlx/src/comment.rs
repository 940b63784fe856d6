use std::fmt::Write as _;

use correlation_core::inject_with;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// The statement with the ambient ID, and the W3C `traceparent` if there is one, in a comment as
/// [sqlcommenter] writes it: for a single query, on any database.
///
/// ```
/// use correlation_sqlx::{commented, correlation};
///
/// let id: correlation::CorrelationId = "click-1".parse()?;
/// correlation::sync_scope(id, || {
///     let sql = commented("select id from orders where total > $1");
///     assert_eq!(
///         sql.as_str(),
///         "select id from orders where total > $1 /*correlation_id='click-1'*/"
///     );
///     let query = sqlx::query::<sqlx::Postgres>(sql).bind(100).persistent(false);
/// });
/// # Ok::<(), correlation::InvalidId>(())
/// ```
///
/// Add `.persistent(false)`: each ID makes a new text, for which the driver would prepare and keep
/// a statement of its own, pushing useful ones out of its cache.
///
/// Outside of any scope, and when there is a comment already (`--` or `/*`), the statement stays
/// as it is; a `;` at its end stays the end. In the values every byte but `A-Z a-z 0-9 - _ . ~` is
/// percent-encoded, so nothing in them can end the comment.
///
/// [sqlcommenter]: https://google.github.io/sqlcommenter/spec/
#[must_use]
pub fn commented(sql: impl SqlSafeStr) -> SqlStr {
    let sql = sql.into_sql_str();
    let text = sql.as_str();
    let end = text.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    if end.is_empty() || text.contains("--") || text.contains("/*") {
        return sql;
    }
    let mut comment = String::new();
    inject_with(|key, value| match key {
        // In the order of the alphabet, as the specification wants it. The tracestate is left out:
        // it may have kilobytes.
        "x-correlation-id" => push(&mut comment, "correlation_id", value),
        "traceparent" => push(&mut comment, "traceparent", value),
        _ => {}
    });
    if comment.is_empty() {
        return sql;
    }
    let rest = &text[end.len()..];
    AssertSqlSafe(format!("{end} /*{comment}*/{rest}")).into_sql_str()
}

fn push(comment: &mut String, key: &str, value: &str) {
    if !comment.is_empty() {
        comment.push(',');
    }
    comment.push_str(key);
    comment.push_str("='");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            comment.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(comment, "%{byte:02X}");
        }
    }
    comment.push('\'');
}
