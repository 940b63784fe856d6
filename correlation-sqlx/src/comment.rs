use std::fmt::Write as _;

use correlation_core::adapter::names::{CORRELATION_ID, X_CORRELATION_ID};
use correlation_core::inject_with;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Returns the statement with the ambient ID in a comment, in the format of [sqlcommenter].
///
/// The comment also has the W3C `traceparent` if there is one. Use it for a single query, on any
/// database.
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
/// Add `.persistent(false)`, because each ID makes a new text. Otherwise the driver prepares and
/// keeps a statement for each of them, which pushes useful statements out of its cache.
///
/// In SQLite, a column without a name is named by its text, and the comment at the end belongs to
/// it. So give the last expression a name: `select count(*) as n from orders`. A view that is
/// created keeps the comment for ever.
///
/// The statement stays unchanged outside any scope, and if it already contains a comment (`--` or
/// `/*`). A `;` at its end stays at the end. In the values, every byte except `A-Z a-z 0-9 - _ . ~`
/// is percent-encoded, so nothing in them can end the comment.
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
        // The keys are in alphabetical order, as the specification requires. The tracestate is left
        // out, because it may have kilobytes.
        X_CORRELATION_ID => push(&mut comment, CORRELATION_ID, value),
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

#[cfg(test)]
mod tests {
    use correlation_core::{Context, CorrelationId, Policy, sync_scope};

    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn with(id: &str, sql: &'static str) -> String {
        let id: CorrelationId = id.parse().unwrap();
        sync_scope(id, || commented(sql)).as_str().to_owned()
    }

    fn traced() -> Context {
        let headers = [
            ("x-correlation-id", "click-1"),
            ("traceparent", TRACE),
            ("tracestate", "a=1"),
        ];
        let lines = || headers.map(|(name, value)| (name, value.as_bytes()));
        Policy::new().receive(lines, None).into_context()
    }

    #[test]
    fn the_comment_ends_the_statement() {
        let comment = "/*correlation_id='click-1'*/";
        for (sql, end) in [
            ("select 1", ""),
            ("select 1;", ";"),
            ("select 1 ;\n", " ;\n"),
            ("select 1\n", "\n"),
        ] {
            assert_eq!(with("click-1", sql), format!("select 1 {comment}{end}"));
        }
    }

    #[test]
    fn keys_are_sorted_and_the_trace_comes_along() {
        let sql = sync_scope(traced(), || commented("select 1"));
        let comment = format!("/*correlation_id='click-1',traceparent='{TRACE}'*/");
        assert_eq!(sql.as_str(), format!("select 1 {comment}"));
    }

    #[test]
    fn what_has_a_comment_stays_as_it_is() {
        for sql in [
            "select 1 /* mine */",
            "/*+ SeqScan(t) */ select 1",
            "select 1 -- mine",
            "select '--'",
            "",
            " ; ",
        ] {
            assert_eq!(with("click-1", sql), sql);
        }
        assert_eq!(commented("select 1").as_str(), "select 1");
    }

    #[test]
    fn nothing_in_an_id_ends_the_comment() {
        let all = "aZ09-_.:+/=#@|~";
        assert_eq!(
            with(all, "select 1"),
            "select 1 /*correlation_id='aZ09-_.%3A%2B%2F%3D%23%40%7C~'*/"
        );
        // An ID contains none of these, but a traceparent comes from elsewhere.
        let mut comment = String::new();
        push(&mut comment, "k", "'*/\\%\n\u{e9}");
        assert_eq!(comment, "k='%27%2A%2F%5C%25%0A%C3%A9'");
    }
}
