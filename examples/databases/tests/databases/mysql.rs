use correlation_core::scope;
use correlation_testkit::id;
use correlation_testkit::server::Server;
use correlation_testkit::services::require;
use databases::mysql::query;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{MySqlPool, Row};

use crate::{CONNECTIONS, MARIADB, fifty, require_service, wrong};

async fn connect(url: &str, connections: u32) -> MySqlPool {
    let options = MySqlPoolOptions::new().max_connections(connections);
    options.connect(url).await.unwrap()
}

/// What the process list shows of the statement that reads it, in the form of the other databases.
async fn listed(pool: MySqlPool) -> String {
    let sql = "select cast(info as char) from information_schema.processlist \
               where id = connection_id()";
    let row = query(sql).fetch_one(&pool).await.unwrap();
    let seen: String = row.get(0);
    match seen.strip_prefix(sql) {
        Some("") => "shop".to_owned(),
        Some(comment) => {
            let id = comment.strip_prefix(" /*correlation_id='");
            let id = id.and_then(|id| id.strip_suffix("'*/")).unwrap();
            format!("shop/{id}")
        }
        None => panic!("{seen}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_list_shows_each_task_its_own_id() {
    if !require_service("MariaDB", 3306) {
        return;
    }
    let pool = connect(MARIADB, CONNECTIONS).await;
    let used = pool.clone();
    assert_eq!(wrong(move || listed(used.clone())).await, [""; 0]);
    for _ in 0..CONNECTIONS {
        assert_eq!(listed(pool.clone()).await, "shop");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_logs_show_it_on_the_line_of_the_statement() {
    let Some(server) = require(Server::mariadb()) else {
        return;
    };
    let url = format!("mysql://root@127.0.0.1:{}/mysql", server.port());
    let pool = connect(&url, CONNECTIONS).await;
    let used = pool.clone();
    fifty(move || {
        let pool = used.clone();
        async move {
            query("select 'in a log'").execute(&pool).await.unwrap();
        }
    })
    .await;
    query("select 'nobody'").execute(&pool).await.unwrap();
    // A statement is in the slow log when its connection answers once more, here to the pool's ping.
    let mut all = Vec::new();
    for _ in 0..CONNECTIONS {
        all.push(pool.acquire().await.unwrap());
    }

    for (file, times) in [("general.log", 2), ("slow.log", 1)] {
        let log = server.file(file);
        for task in 0..50 {
            let line = format!("select 'in a log' /*correlation_id='click-{task}'*/");
            // In the general log one line is for preparing, and one for executing.
            let found = log.lines().filter(|it| it.contains(&line)).count();
            assert_eq!(found, times, "{line} in {file}");
        }
        assert_eq!(log.matches("'in a log'").count(), 50 * times, "{file}");
        let nobody = log.lines().find(|line| line.contains("select 'nobody'"));
        assert!(!nobody.unwrap().contains("/*"), "{nobody:?} in {file}");
    }
}

/// Why not a variable.
#[tokio::test]
async fn a_variable_is_on_no_line_but_its_own_and_stays() {
    let Some(server) = require(Server::mariadb()) else {
        return;
    };
    let url = format!("mysql://root@127.0.0.1:{}/mysql", server.port());
    let pool = connect(&url, 1).await;
    scope(id("click-1"), async {
        let set = sqlx::query("set @correlation_id = ?").bind("click-1");
        set.execute(&pool).await.unwrap();
        let statement = sqlx::query("select 'mine'").execute(&pool);
        statement.await.unwrap();
        let listed = "select cast(info as char) from information_schema.processlist";
        let listed: Vec<Option<String>> =
            sqlx::query_scalar(listed).fetch_all(&pool).await.unwrap();
        assert!(!format!("{listed:?}").contains("click-1"), "{listed:?}");
    })
    .await;
    let stale = sqlx::query_scalar("select @correlation_id");
    let stale: Option<String> = stale.fetch_one(&pool).await.unwrap();
    assert_eq!(stale.as_deref(), Some("click-1"));
    // The server shows the value in the general log alone, on the line that sets it.
    let general = server.file("general.log");
    let lines: Vec<_> = general
        .lines()
        .filter(|it| it.contains("click-1"))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("set @correlation_id = 'click-1'"));
    assert!(general.contains("select 'mine'"));
}
