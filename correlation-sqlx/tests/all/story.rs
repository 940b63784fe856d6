//! The log files of a real PostgreSQL, in each of its formats, as `trail` tells them.

use std::time::{SystemTime, UNIX_EPOCH};

use correlation_sqlx::Correlate;
use correlation_sqlx::correlation::scope;
use correlation_testkit::id;
use correlation_testkit::server::Server;
use correlation_testkit::services::require;
use correlation_trail::{Level, Record, Trail};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

const ID: &str = "5cb8f0c2-0a52-4d3c-9f0e-5b8a3a2f7a11";
/// Longer than the ID of the story, which it begins with.
const LONGER: &str = "5cb8f0c2-0a52-4d3c-9f0e-5b8a3a2f7a11-2";

#[tokio::test]
async fn trail_tells_the_log_of_the_server() {
    let begun = now();
    let Some(mut server) = require(Server::postgres(&[
        "logging_collector=on",
        "log_destination=stderr,csvlog,jsonlog",
        "log_filename=orders.log",
        // As the README has it.
        "log_line_prefix=%m [%p] app=%a ",
    ])) else {
        return;
    };
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port());
    let pool = PgPoolOptions::new().max_connections(1).correlate("shop");
    let pool = pool.connect(&url).await.unwrap();

    scope(id(LONGER), ask(&pool, "select 'of another'")).await;
    scope(id(ID), ask(&pool, "select 'bought',\n  '\"', ''")).await;
    let failing = ask(&pool, "select *\nfrom no_such_table");
    scope(id(ID), failing).await;
    scope(id("click-2"), ask(&pool, "select 'of a third'")).await;
    ask(&pool, "select 'of nobody'").await;
    drop(pool);
    server.end();
    // The server cuts its times to milliseconds.
    let times = begun..=now();

    let directory = server.directory().join("data/log");
    let files = ["orders.log", "orders.csv", "orders.json"];
    let stories = files.map(|file| {
        let mut trail = Trail::new(ID);
        trail.file(directory.join(file)).unwrap();
        trail.finish()
    });
    for (file, story) in files.iter().zip(&stories) {
        let all = format!("{file}:\n{story}");
        assert!(!all.contains("of a") && !all.contains("of nobody"), "{all}");
        let records = story.records();
        for (level, text) in [
            (Level::Info, "select 'bought'"),
            (Level::Error, "relation \"no_such_table\" does not exist"),
        ] {
            let mut told = records.iter().filter(|told| told.message.contains(text));
            let level_of = |record: &Record| record.level;
            assert_eq!(
                told.next().and_then(level_of),
                Some(level),
                "{text} in {all}"
            );
            assert_eq!(told.next(), None, "once in {all}");
        }
        let statements = all.matches("from no_such_table").count();
        assert!(statements == 1 || *file == "orders.csv", "{all}");
        for record in records {
            let time = record.time.expect("a time").as_nanoseconds();
            assert!(!record.estimated && times.contains(&time), "{all}");
        }
    }
}

async fn ask(pool: &PgPool, sql: &'static str) {
    // One of them fails.
    let _ = sqlx::query(sql).execute(pool).await;
}

fn now() -> i128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_nanos().try_into().unwrap()
}
