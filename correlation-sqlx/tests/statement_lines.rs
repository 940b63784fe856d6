//! The driver's own log of statements (target `sqlx::query`, level debug): the database in the
//! log of the program.

use std::io;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use correlation_sqlx::commented;
use correlation_sqlx::correlation::{self, Context, CorrelationId, Policy, scope};
use sqlx::{Connection, MySqlConnection, PgConnection, SqliteConnection};
use tracing_subscriber::fmt::MakeWriter;

// One test, since SQLite's thread writes to the one global subscriber.
#[tokio::test]
async fn statement_lines_have_the_id() {
    let (sink, lines) = channel();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(Lines(sink))
        .map_writer(correlation::tag)
        .init();

    if answers("PostgreSQL", 5432) {
        let url = "postgres://postgres@127.0.0.1:5432/test";
        let mut postgres = PgConnection::connect(url).await.unwrap();
        let query = sqlx::query("select 'in postgres'");
        scope(id("click-1"), query.execute(&mut postgres))
            .await
            .unwrap();
        let line = line_with(&lines, "in postgres");
        assert!(line.contains(" sqlx::query: "), "{line}");
        assert!(line.ends_with(" correlation_id=click-1\n"), "{line}");
    }
    if answers("MariaDB", 3306) {
        let url = "mysql://root@127.0.0.1:3306/test";
        let mut mariadb = MySqlConnection::connect(url).await.unwrap();
        let query = sqlx::query("select 'in mariadb'");
        scope(id("click-2"), query.execute(&mut mariadb))
            .await
            .unwrap();
        let line = line_with(&lines, "in mariadb");
        assert!(line.ends_with(" correlation_id=click-2\n"), "{line}");
    }

    let mut sqlite = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    // A thread of sqlx's own runs the statement and writes the line; only the span goes there.
    let query = sqlx::query("select 'in no span'");
    scope(id("click-3"), query.execute(&mut sqlite))
        .await
        .unwrap();
    let line = line_with(&lines, "in no span");
    assert!(!line.contains("click-3"), "no longer a gap: {line}");

    let query = sqlx::query("select 'in a span'");
    scope(spanned("click-4"), query.execute(&mut sqlite))
        .await
        .unwrap();
    let line = line_with(&lines, "in a span");
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
    let line = line_with(&lines, "in a comment");
    assert!(line.contains("/*correlation_id='click-5'*/"), "{line}");
}

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

/// A request as a server with `request_span` sees it.
fn spanned(id: &str) -> Context {
    let header = [("x-correlation-id", id.as_bytes())];
    let policy = Policy::new().request_span(true);
    policy.receive(|| header, None).unwrap()
}

fn line_with(lines: &Receiver<String>, text: &str) -> String {
    loop {
        let line = lines.recv_timeout(Duration::from_secs(60)).unwrap();
        if line.contains(text) {
            return line;
        }
    }
}

fn answers(name: &str, port: u16) -> bool {
    let required = std::env::var_os("CORRELATION_REQUIRE_SERVICES").is_some_and(|it| it == "1");
    let there = TcpStream::connect(("127.0.0.1", port)).is_ok();
    if !there {
        assert!(!required, "no {name} at 127.0.0.1:{port}");
        eprintln!("skipped: no {name} at 127.0.0.1:{port}");
    }
    there
}

#[derive(Clone)]
struct Lines(Sender<String>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The test may be over.
        let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
