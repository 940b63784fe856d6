use correlation_core::current;
use correlation_testkit::Capture;
use databases::sqlite::with_id;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqlitePoolOptions;
use tracing::Level;

use crate::{CONNECTIONS, fifty};

#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_each_statement_has_the_id() {
    let log = Capture::default();
    // For all threads: those that run the statements are sqlx's own.
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(Level::DEBUG)
        .with_writer(log.clone())
        .init();
    let options = SqlitePoolOptions::new().max_connections(CONNECTIONS);
    let pool = options.connect("sqlite::memory:").await.unwrap();
    let used = pool.clone();
    fifty(move || {
        let pool = used.clone();
        async move {
            let sql = format!("select 'of {}'", current().unwrap());
            let statement = sqlx::query(AssertSqlSafe(sql)).execute(&pool);
            with_id(statement).await.unwrap();
        }
    })
    .await;
    for task in 0..50 {
        let line = log.line_with(&format!("select 'of click-{task}'"));
        let span = format!(" sqlite{{correlation_id=click-{task}}}: sqlx::query: ");
        assert!(line.contains(&span), "{line}");
    }
    // Without a span there is none, and no other one.
    for (sql, name) in [("select 'outside'", "outside"), ("select 'bare'", "bare")] {
        let statement = sqlx::query(sql).execute(&pool);
        match name {
            "outside" => with_id(statement).await.unwrap(),
            _ => statement.await.unwrap(),
        };
        let line = log.line_with(sql);
        assert!(!line.contains("correlation_id"), "{line}");
    }
}
