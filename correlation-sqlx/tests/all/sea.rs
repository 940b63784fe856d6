//! Through sea-orm, which takes the pool as it is.

use correlation_sqlx::{Correlate, correlation::scope};
use correlation_testkit::id;
use sea_orm::{ConnectionTrait, DbBackend, SqlxPostgresConnector, Statement, TransactionTrait};
use sqlx::postgres::PgPoolOptions;

use crate::{POSTGRES, postgres};

#[tokio::test]
async fn sea_orm_has_the_id() {
    if !postgres() {
        return;
    }
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .correlate("shop")
        .connect(POSTGRES)
        .await
        .unwrap();
    let database = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    async fn name(database: &impl ConnectionTrait) -> String {
        let sql = "select current_setting('application_name') as name";
        let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, sql));
        row.await.unwrap().unwrap().try_get("", "name").unwrap()
    }
    let seen = scope(id("click-1"), name(&database)).await;
    assert_eq!(seen, "shop/click-1");
    let seen = scope(id("click-2"), async {
        let transaction = database.begin().await.unwrap();
        let seen = name(&transaction).await;
        transaction.commit().await.unwrap();
        seen
    });
    assert_eq!(seen.await, "shop/click-2");
    assert_eq!(name(&database).await, "shop");
}
