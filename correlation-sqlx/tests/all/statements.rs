//! How many statements a connection keeps prepared.

use correlation_sqlx::correlation::{CorrelationId, scope};
use correlation_sqlx::{Correlate, commented};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::{POSTGRES, postgres};

#[tokio::test]
async fn the_hook_keeps_one_more_and_not_one_per_id() {
    if !postgres() {
        return;
    }
    let pool = pool().await;
    for _ in 0..500 {
        run(&pool, false, true).await;
    }
    // The hook's, the query, and the one that counts.
    assert_eq!(prepared(&pool).await, 3);
}

#[tokio::test]
async fn comments_flood_the_cache_unless_they_are_not_persistent() {
    if !postgres() {
        return;
    }
    let pool = pool().await;
    for _ in 0..500 {
        run(&pool, true, false).await;
    }
    // The one that counts: on a connection without prepared statements the hook makes none.
    assert_eq!(prepared(&pool).await, 1);
    for _ in 0..500 {
        run(&pool, true, true).await;
    }
    // As many as the driver keeps at most: 100 by default.
    assert_eq!(prepared(&pool).await, 100);
}

async fn pool() -> PgPool {
    let pool = PgPoolOptions::new().max_connections(1).correlate("shop");
    pool.connect(POSTGRES).await.unwrap()
}

/// One query of a new request.
async fn run(pool: &PgPool, comment: bool, persistent: bool) {
    const SQL: &str = "select $1::int";
    let request = scope(CorrelationId::new(), async {
        let query = match comment {
            true => sqlx::query(commented(SQL)),
            false => sqlx::query(SQL),
        };
        query.bind(1).persistent(persistent).execute(pool).await
    });
    request.await.unwrap();
}

async fn prepared(pool: &PgPool) -> i64 {
    let count = sqlx::query_scalar("select count(*) from pg_prepared_statements");
    count.fetch_one(pool).await.unwrap()
}
