//! MariaDB and MySQL have no name that can be changed: only the comment is left.

use correlation_sqlx::commented;
use correlation_sqlx::correlation::scope;
use correlation_testkit::{id, require_service};
use sqlx::{Connection, MySqlConnection};

use crate::MARIADB;

#[tokio::test]
async fn other_sessions_see_the_comment() {
    if !require_service("MariaDB", 3306) {
        return;
    }
    let request = format!("click-{}", std::process::id());
    let mut connection = MySqlConnection::connect(MARIADB).await.unwrap();
    let sleep = scope(id(&request), async move {
        let query = sqlx::query(commented("select sleep(60)")).persistent(false);
        query.execute(&mut connection).await
    });
    let sleep = tokio::spawn(sleep);
    let mut other = MySqlConnection::connect(MARIADB).await.unwrap();
    let (thread, text) = loop {
        let of = "select cast(id as signed), cast(info as char) from information_schema.processlist \
                  where info like concat('%', ?, '%') and id <> connection_id()";
        let found = sqlx::query_as(of).bind(&request);
        let found: Option<(i64, String)> = found.fetch_optional(&mut other).await.unwrap();
        match found {
            Some(found) => break found,
            None => assert!(!sleep.is_finished()),
        }
    };
    let kill = sqlx::query("kill query ?").bind(thread);
    kill.execute(&mut other).await.unwrap();
    // It ends with an error or, since it is `sleep`, with a row.
    let _ = sleep.await.unwrap();
    assert_eq!(
        text,
        format!("select sleep(60) /*correlation_id='{request}'*/")
    );
}

#[tokio::test]
async fn a_variable_of_the_session_is_for_triggers() {
    if !require_service("MariaDB", 3306) {
        return;
    }
    let mut connection = MySqlConnection::connect(MARIADB).await.unwrap();
    let set = sqlx::query("set @correlation_id = ?").bind("click-1");
    set.execute(&mut connection).await.unwrap();
    let seen = sqlx::query_scalar("select @correlation_id");
    let seen: Option<String> = seen.fetch_one(&mut connection).await.unwrap();
    assert_eq!(seen.as_deref(), Some("click-1"));
}
