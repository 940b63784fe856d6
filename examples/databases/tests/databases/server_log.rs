//! PostgreSQL's own log, as it is written for each client.

use ::diesel::connection::SimpleConnection;
use ::diesel::r2d2::Pool;
use ::sea_orm::ConnectionTrait;
use correlation_core::{current, spawn_blocking};
use correlation_testkit::server::Server;
use correlation_testkit::services::require;

use crate::{CONNECTIONS, fifty};

#[tokio::test(flavor = "multi_thread")]
async fn every_line_has_the_id() {
    let Some(mut server) = require(Server::postgres(&["log_line_prefix=app=%a "])) else {
        return;
    };
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port());
    let select = |client: &str| format!("select '{client} {}'", current().unwrap());

    let tokio = databases::tokio_postgres::pool(url.parse().unwrap(), CONNECTIONS as usize);
    let tokio = tokio.unwrap();
    let used = tokio.clone();
    fifty(move || {
        let pool = used.clone();
        async move {
            let client = pool.get().await.unwrap();
            client.batch_execute(&select("tokio")).await.unwrap();
        }
    })
    .await;
    let diesel = databases::diesel::Correlated::new(&url);
    let diesel = Pool::builder().max_size(CONNECTIONS).build(diesel).unwrap();
    fifty(move || {
        let pool = diesel.clone();
        async move {
            let work = spawn_blocking(move || {
                let sql = select("diesel");
                pool.get().unwrap().batch_execute(&sql).unwrap();
            });
            work.await.unwrap();
        }
    })
    .await;
    let sea = databases::sea_orm::connect(&url, CONNECTIONS)
        .await
        .unwrap();
    fifty(move || {
        let database = sea.clone();
        async move {
            database.execute_unprepared(&select("sea")).await.unwrap();
        }
    })
    .await;
    let last = tokio.get().await.unwrap();
    last.batch_execute("select 'the end'").await.unwrap();

    let lines = server.lines_until("select 'the end'");
    for client in ["tokio", "diesel", "sea"] {
        for task in 0..50 {
            let text = format!("select '{client} click-{task}'");
            let line = lines.iter().find(|line| line.contains(&text)).unwrap();
            assert!(
                line.starts_with(&format!("app=shop/click-{task} LOG:  ")),
                "{line}"
            );
        }
    }
    let end = lines.last().unwrap();
    assert!(end.starts_with("app=shop LOG:  "), "{end}");
}
