//! What the hook and the comment cost, beside a plain pool in the same run:
//! `cargo run --release -p correlation-sqlx --example cost`.
//!
//! Takes the PostgreSQL at `DATABASE_URL`, else the one at 127.0.0.1:5432.

use std::time::Instant;

use correlation_sqlx::correlation::{CorrelationId, scope};
use correlation_sqlx::{Correlate, commented};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

const ROUNDS: usize = 300;
const TIMES: i32 = 50;
/// The smallest there is, and one that looks at some hundred rows.
const QUERIES: [&str; 2] = [
    "select $1::int + 1",
    "select count(*) from pg_class where relpages > $1::int",
];

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
    for sql in QUERIES {
        println!("{sql}");
        compare([
            ("plain pool", &plain, sql, Query::Plain),
            ("plain pool, no ping", &no_ping, sql, Query::Plain),
            ("correlate", &correlated, sql, Query::Plain),
            (
                "commented, persistent(false)",
                &plain,
                sql,
                Query::CommentedOnce,
            ),
            ("commented", &plain, sql, Query::Commented),
        ])
        .await?;
    }
    Ok(())
}

type Case<'a> = (&'a str, &'a PgPool, &'static str, Query);

async fn compare(cases: [Case<'_>; 5]) -> sqlx::Result<()> {
    let mut times = cases.map(|_| Vec::new());
    for round in 0..=ROUNDS {
        // In turn, so that what disturbs the machine disturbs them all.
        for (&(_, pool, sql, query), times) in cases.iter().zip(&mut times) {
            let start = Instant::now();
            run(pool, sql, query).await?;
            // The first one opens the connections.
            if round > 0 {
                times.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
            }
        }
    }

    println!(
        "{:30} {:>8} {:>8}  to plain",
        "  us per query", "min", "median"
    );
    let plain = times[0].clone();
    for ((name, ..), mut times) in cases.iter().zip(times) {
        // Within each round, so that a slow minute counts for both sides.
        let mut ratios: Vec<f64> = times.iter().zip(&plain).map(|(a, b)| a / b).collect();
        let (min, median) = (sort(&mut times)[0], sort(&mut times)[ROUNDS / 2]);
        let ratio = sort(&mut ratios)[ROUNDS / 2];
        println!("  {name:28} {min:8.1} {median:8.1} {ratio:8.2}x");
    }
    Ok(())
}

fn sort(values: &mut [f64]) -> &[f64] {
    values.sort_by(f64::total_cmp);
    values
}

#[derive(Clone, Copy)]
enum Query {
    Plain,
    Commented,
    CommentedOnce,
}

/// Queries that each belong to another request.
async fn run(pool: &PgPool, sql: &'static str, kind: Query) -> sqlx::Result<()> {
    for number in 0..TIMES {
        let request = scope(CorrelationId::new(), async {
            let query = match kind {
                Query::Plain => sqlx::query(sql),
                Query::Commented => sqlx::query(commented(sql)),
                Query::CommentedOnce => sqlx::query(commented(sql)).persistent(false),
            };
            query.bind(number).execute(pool).await
        });
        request.await?;
    }
    Ok(())
}
