//! PostgreSQL's own log.

use correlation_sqlx::{Correlate, commented, correlation::scope};
use correlation_testkit::id;
use correlation_testkit::server::Server;
use correlation_testkit::services::require;
use sqlx::Connection;
use sqlx::postgres::{PgConnection, PgPoolOptions};

#[tokio::test]
async fn every_line_of_the_server_has_the_id() {
    let Some(mut server) = require(Server::postgres(&["log_line_prefix=app=%a "])) else {
        return;
    };
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port());
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .correlate("shop")
        .connect(&url)
        .await
        .unwrap();
    let mut stranger = PgConnection::connect(&url).await.unwrap();

    // One connection, used in turn.
    scope(id("click-1"), async {
        let mut order = pool.begin().await.unwrap();
        let bought = sqlx::query("select 'bought'");
        bought.execute(&mut *order).await.unwrap();
        // Not committed, so it is rolled back when the pool gets it.
    })
    .await;
    scope(id("click-2"), async {
        let error = sqlx::query("select * from no_such_table").execute(&pool);
        error.await.unwrap_err();
        let with_comment = commented("select 'commented'");
        sqlx::query(with_comment).execute(&pool).await.unwrap();
    })
    .await;
    let nobodys = sqlx::query("select 'nobody'");
    nobodys.execute(&pool).await.unwrap();
    let strange = sqlx::query("select 'stranger'");
    strange.execute(&mut stranger).await.unwrap();

    let lines = server.lines_until("select 'stranger'");
    let all = lines.join("\n");
    let lines_with = |text: &str| {
        let found: Vec<_> = lines.iter().filter(|line| line.contains(text)).collect();
        assert!(!found.is_empty(), "no {text:?} in:\n{all}");
        found
    };
    // The statement that changes a name is the last under the old one.
    let changes = lines_with("'shop/click-2'")[0];
    assert!(changes.starts_with("app=shop/click-1 "), "{changes}");
    for (text, start) in [
        ("BEGIN", "app=shop/click-1 LOG:  "),
        ("select 'bought'", "app=shop/click-1 LOG:  execute "),
        ("ROLLBACK", "app=shop/click-1 LOG:  "),
        ("does not exist", "app=shop/click-2 ERROR:  relation "),
        (
            "STATEMENT:  select * from no_such_table",
            "app=shop/click-2 STATEMENT:  ",
        ),
        (
            "select 'commented' /*correlation_id='click-2'*/",
            "app=shop/click-2 LOG:  execute ",
        ),
        ("select 'nobody'", "app=shop LOG:  execute "),
        ("select 'stranger'", "app=[unknown] LOG:  execute "),
    ] {
        for line in lines_with(text) {
            assert!(line.starts_with(start), "{line}\nin:\n{all}");
        }
    }
}
