//! The driver's own log of statements (target `sqlx::query`, level debug): the database in the
//! log of the program.

use correlation_sqlx::correlation::{self, Context, Policy, scope, sync_scope};
use correlation_sqlx::{Correlate, commented};
use correlation_testkit::{Capture, id, require_service};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, MySqlConnection, PgConnection, Row, SqliteConnection};

// One test, since SQLite's thread writes to the one global subscriber.
#[tokio::test]
async fn statement_lines_have_the_id() {
    let log = Capture::default();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(log.clone())
        .map_writer(correlation::tag)
        .init();

    if require_service("PostgreSQL", 5432) {
        let url = "postgres://postgres@127.0.0.1:5432/test";
        let mut postgres = PgConnection::connect(url).await.unwrap();
        let query = sqlx::query("select 'in postgres'");
        scope(id("click-1"), query.execute(&mut postgres))
            .await
            .unwrap();
        let line = log.line_with("in postgres");
        assert!(line.contains(" sqlx::query: "), "{line}");
        assert!(line.ends_with(" correlation_id=click-1"), "{line}");

        let pool = PgPoolOptions::new().max_connections(1).correlate("shop");
        let pool = pool.connect(url).await.unwrap();
        for query in ["select 'first'", "select 'second'"] {
            let query = sqlx::query(query).execute(&pool);
            scope(id("click-1"), query).await.unwrap();
        }
        // The statement of each acquire is not there.
        let _ = log.line_with("'second'");
        assert!(!log.text().contains("set_config"), "{}", log.text());
        let queries = log.lines_with(&[" sqlx::query: "]);
        assert_eq!(queries.len(), 3, "{queries:#?}");

        // Nor where the user has set another level for statements.
        let options: PgConnectOptions = url.parse().unwrap();
        let options = options.log_statements("info".parse().unwrap());
        let pool = PgPoolOptions::new().max_connections(1).correlate("shop");
        let pool = pool.connect_with(options).await.unwrap();
        let short = Capture::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_writer(short.clone())
            .finish();
        let shown = tracing::subscriber::set_default(subscriber);
        let query = sqlx::query("select 'at info'").execute(&pool);
        scope(id("click-1"), query).await.unwrap();
        drop(shown);
        let _ = short.line_with("'at info'");
        assert!(!short.text().contains("set_config"), "{}", short.text());

        // Whoever asks for everything gets it.
        let verbose = Capture::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(verbose.clone())
            .finish();
        let shown = tracing::subscriber::set_default(subscriber);
        let query = sqlx::query("select 'third'").execute(&pool);
        scope(id("click-1"), query).await.unwrap();
        drop(shown);
        let _ = verbose.line_with("'third'");
        assert!(verbose.text().contains("set_config"), "{}", verbose.text());

        // Why a connection was replaced is told.
        let pool = PgPoolOptions::new().max_connections(1).correlate("shop");
        let pool = pool.before_acquire(|_, _| {
            Box::pin(async { Err(sqlx::Error::protocol("the hook's own")) })
        });
        let pool = pool.connect(url).await.unwrap();
        let query = sqlx::query("select 'replaced'").execute(&pool);
        scope(id("click-1"), query).await.unwrap();
        let line = log.line_with("your `before_acquire` returned an error");
        assert!(line.contains(" WARN correlation: "), "{line}");
        assert!(line.contains("the hook's own"), "{line}");
        assert!(line.ends_with(" correlation_id=click-1"), "{line}");
    }
    if require_service("MariaDB", 3306) {
        let url = "mysql://root@127.0.0.1:3306/test";
        let mut mariadb = MySqlConnection::connect(url).await.unwrap();
        let query = sqlx::query("select 'in mariadb'");
        scope(id("click-2"), query.execute(&mut mariadb))
            .await
            .unwrap();
        let line = log.line_with("in mariadb");
        assert!(line.ends_with(" correlation_id=click-2"), "{line}");
    }

    let mut sqlite = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    // The comment belongs to the name of the last column, unless that has one.
    for (column, expected) in [("count(*)", false), ("count(*) as n", true)] {
        let sql = format!("select {column}");
        let sql = sync_scope(id("click-3"), || commented(sqlx::AssertSqlSafe(sql)));
        let query = sqlx::query(sql).persistent(false).fetch_one(&mut sqlite);
        let row = query.await.unwrap();
        let name = column.split(" as ").last().unwrap();
        let known = row.try_get::<i64, _>(name).is_ok();
        assert_eq!(
            known, expected,
            "if this differs, the README is out of date"
        );
    }
    // A thread of sqlx's own runs the statement and writes the line; only the span goes there.
    let query = sqlx::query("select 'in no span'");
    scope(id("click-3"), query.execute(&mut sqlite))
        .await
        .unwrap();
    let line = log.line_with("in no span");
    assert!(!line.contains("click-3"), "no longer a gap: {line}");

    let query = sqlx::query("select 'in a span'");
    scope(spanned("click-4"), query.execute(&mut sqlite))
        .await
        .unwrap();
    let line = log.line_with("in a span");
    assert!(
        line.contains(r#" request{correlation_id="click-4"}: sqlx::query: "#),
        "{line}"
    );

    let query = scope(id("click-5"), async {
        let sql = commented("select 'in a comment'");
        sqlx::query(sql)
            .persistent(false)
            .execute(&mut sqlite)
            .await
    });
    query.await.unwrap();
    let line = log.line_with("in a comment");
    assert!(line.contains("/*correlation_id='click-5'*/"), "{line}");
}

/// A request as a server with `request_span` sees it.
fn spanned(id: &str) -> Context {
    let header = [("x-correlation-id", id.as_bytes())];
    let policy = Policy::new().request_span(true);
    policy.receive(|| header, None).into_context()
}
