//! What the hook and the comment cost, beside a plain pool in the same run:
//! `cargo run --release -p correlation-sqlx --example cost`.
//!
//! Takes the PostgreSQL at `DATABASE_URL`, else the one at 127.0.0.1:5432.

use std::time::Instant;

use correlation_sqlx::correlation::{CorrelationId, scope};
use correlation_sqlx::{Correlate, commented};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

const ROUNDS: usize = 200;
const QUERIES: i32 = 100;

// One thread: how the tasks of a pool move between threads is another question.
#[tokio::main(flavor = "current_thread")]
async fn main() -> sqlx::Result<()> {
    let url = std::env::var("DATABASE_URL");
    let url = url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test".to_owned());
    let plain = PgPoolOptions::new().connect(&url).await?;
    let no_ping = PgPoolOptions::new().test_before_acquire(false);
    let no_ping = no_ping.connect(&url).await?;
    let correlated = PgPoolOptions::new().correlate("shop");
    let correlated = correlated.connect(&url).await?;
    let cases = [
        ("plain pool", &plain, Query::Plain),
        ("plain pool, no ping", &no_ping, Query::Plain),
        ("correlate", &correlated, Query::Plain),
        ("commented, persistent(false)", &plain, Query::CommentedOnce),
        ("commented", &plain, Query::Commented),
    ];

    let mut times = cases.map(|_| Vec::new());
    for round in 0..=ROUNDS {
        // In turn, so that what disturbs the machine disturbs them all.
        for ((_, pool, query), times) in cases.iter().zip(&mut times) {
            let start = Instant::now();
            run(pool, *query).await?;
            // The first one opens the connections.
            if round > 0 {
                times.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(QUERIES));
            }
        }
    }

    println!("{:30} {:>8} {:>15}", "us per query", "min", "median");
    let mut base = None;
    for ((name, ..), mut times) in cases.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let (min, median) = (times[0], times[ROUNDS / 2]);
        let (base_min, base_median) = *base.get_or_insert((min, median));
        let (by_min, by_median) = (min / base_min, median / base_median);
        println!("{name:30} {min:8.1} {by_min:5.2}x {median:8.1} {by_median:5.2}x");
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Query {
    Plain,
    Commented,
    CommentedOnce,
}

/// Queries that each belong to another request.
async fn run(pool: &PgPool, kind: Query) -> sqlx::Result<()> {
    const SQL: &str = "select $1::int + 1";
    for number in 0..QUERIES {
        let request = scope(CorrelationId::new(), async {
            let query = match kind {
                Query::Plain => sqlx::query(SQL),
                Query::Commented => sqlx::query(commented(SQL)),
                Query::CommentedOnce => sqlx::query(commented(SQL)).persistent(false),
            };
            query.bind(number).execute(pool).await
        });
        request.await?;
    }
    Ok(())
}
