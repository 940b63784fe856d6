//! Behind PgBouncer in transaction mode, where clients share connections.
//!
//! The queries here are not kept prepared, so this holds for every version of it: only since 1.21
//! does PgBouncer know of the prepared statements that sqlx makes by itself.

use correlation_sqlx::Correlate;
use correlation_sqlx::correlation::scope;
use correlation_testkit::id;
use correlation_testkit::server::Server;
use correlation_testkit::services::require;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::postgres;

#[tokio::test]
async fn clients_on_one_connection_do_not_see_each_other() {
    if !postgres() {
        return;
    }
    let Some(bouncer) = require(Server::bouncer()) else {
        return;
    };
    let shop = client(&bouncer, "shop").await;
    let stock = client(&bouncer, "stock").await;
    let mut held = scope(id("held"), shop.acquire()).await.unwrap();
    let server = ask(&mut held, SERVER).await;
    for i in 0..20 {
        let text = format!("click-{i}");
        let mut connection = scope(id(&text), stock.acquire()).await.unwrap();
        assert_eq!(ask(&mut connection, NAME).await, format!("stock/{text}"));
        assert_eq!(ask(&mut held, NAME).await, "shop/held");
        assert_eq!(ask(&mut connection, SERVER).await, server, "it is shared");
    }
    drop(held);
    let mut later = shop.acquire().await.unwrap();
    assert_eq!(ask(&mut later, NAME).await, "shop");
    let prepared = "select count(*)::text from pg_prepared_statements";
    assert_eq!(ask(&mut later, prepared).await, "0");
}

async fn client(bouncer: &Server, application: &str) -> PgPool {
    let url = format!("postgres://postgres@127.0.0.1:{}/test", bouncer.port());
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .correlate(application);
    pool.connect(&url).await.unwrap()
}

async fn ask(connection: &mut sqlx::PgConnection, sql: &'static str) -> String {
    let answer = sqlx::query_scalar(sql).persistent(false);
    answer.fetch_one(connection).await.unwrap()
}

const NAME: &str = "select current_setting('application_name')";
const SERVER: &str = "select pg_backend_pid()::text";
