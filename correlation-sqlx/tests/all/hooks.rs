//! Hooks of the user beside ours.

use std::sync::{Arc, Mutex};

use correlation_sqlx::Correlate;
use correlation_sqlx::correlation::scope;
use correlation_testkit::id;
use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::{POSTGRES, name_for, name_now, postgres};

/// What a hook saw: which one, and the name of the connection.
type Seen = Arc<Mutex<Vec<(&'static str, String)>>>;

async fn look(connection: &mut PgConnection, hook: &'static str, seen: Seen) -> sqlx::Result<()> {
    let name = sqlx::query_scalar("select current_setting('application_name')");
    let name = name.fetch_one(connection).await?;
    seen.lock().unwrap().push((hook, name));
    Ok(())
}

#[tokio::test]
async fn the_users_hooks_run_and_the_name_is_right() {
    if !postgres() {
        return;
    }
    let seen = Seen::default();
    let [new, idle, after] = [(); 3].map(|()| Arc::clone(&seen));
    let options = PgPoolOptions::new()
        .correlate("shop")
        .max_connections(1)
        .before_acquire(move |connection, _| {
            let seen = Arc::clone(&idle);
            Box::pin(async move { look(connection, "idle", seen).await.map(|()| true) })
        })
        .after_connect(move |connection, _| {
            let seen = Arc::clone(&new);
            Box::pin(async move {
                look(&mut *connection, "new", seen).await?;
                // As the example of sqlx' own documentation does.
                let name = sqlx::query("set application_name = 'your_app'");
                name.execute(connection).await.map(drop)
            })
        })
        .after_release(move |connection, _| {
            let seen = Arc::clone(&after);
            Box::pin(async move { look(connection, "released", seen).await.map(|()| true) })
        });
    let url: PgConnectOptions = POSTGRES.parse().unwrap();
    let pool = options.connect_lazy_with(url.application_name("plain"));
    for text in ["click-1", "click-2"] {
        assert_eq!(name_for(&pool, text).await, format!("shop/{text}"));
        while pool.num_idle() == 0 {
            tokio::task::yield_now().await;
        }
    }
    let seen = seen.lock().unwrap().clone();
    let seen: Vec<_> = seen.iter().map(|(hook, name)| (*hook, &**name)).collect();
    assert_eq!(
        seen,
        [
            ("new", "plain"),
            ("released", "shop/click-1"),
            ("idle", "shop/click-2"),
            ("released", "shop/click-2"),
        ]
    );
}

#[tokio::test]
async fn a_hook_may_refuse_a_connection() {
    if !postgres() {
        return;
    }
    let options = PgPoolOptions::new().max_connections(1).correlate("shop");
    let options = options.before_acquire(|_, _| Box::pin(async { Ok(false) }));
    let pool = options.connect(POSTGRES).await.unwrap();
    let mut backends = Vec::new();
    for text in ["click-1", "click-2"] {
        let (name, backend): (String, i32) = scope(id(text), async {
            sqlx::query_as("select current_setting('application_name'), pg_backend_pid()")
                .fetch_one(&pool)
                .await
        })
        .await
        .unwrap();
        assert_eq!(name, format!("shop/{text}"));
        backends.push(backend);
        while pool.num_idle() == 0 {
            tokio::task::yield_now().await;
        }
    }
    assert_ne!(backends[0], backends[1]);
}

/// Of a hook of each kind the last one counts, as in sqlx.
#[tokio::test]
async fn plain_options_are_made_of_them() {
    if !postgres() {
        return;
    }
    let options = PgPoolOptions::new().max_connections(1);
    let options = options
        .correlate("shop")
        .before_acquire(|_, _| unreachable!())
        .before_acquire(|_, _| Box::pin(async { Ok(true) }));
    let options = PgPoolOptions::from(options.clone());
    assert!(!options.get_test_before_acquire(), "the name is the ping");
    let pool = options.connect(POSTGRES).await.unwrap();
    assert_eq!(name_for(&pool, "click-1").await, "shop/click-1");
    assert_eq!(name_now(&pool).await, "shop");
}

/// `set_config` is a name that anybody can put a function under.
#[tokio::test]
async fn a_search_path_does_not_hide_the_function() {
    if !postgres() {
        return;
    }
    let schema = format!("correlation_{}", std::process::id());
    let shadow = format!(
        "create schema {schema}; \
         create function {schema}.set_config(text, text, boolean) returns text \
         language sql as $$ select 'shadow' $$"
    );
    let mut other = <PgConnection as sqlx::Connection>::connect(POSTGRES)
        .await
        .unwrap();
    let run = async |connection: &mut PgConnection, sql: String| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(connection)
            .await
            .unwrap();
    };
    run(&mut other, shadow).await;
    let path = format!("set search_path = {schema}, pg_catalog");
    let options = PgPoolOptions::new().max_connections(1).correlate("shop");
    let options = options.after_connect(move |connection, _| {
        let path = sqlx::AssertSqlSafe(path.clone());
        Box::pin(async move { sqlx::raw_sql(path).execute(connection).await.map(drop) })
    });
    let pool = options.connect(POSTGRES).await.unwrap();
    let seen = [
        name_for(&pool, "click-1").await,
        name_for(&pool, "click-2").await,
    ];
    pool.close().await;
    run(&mut other, format!("drop schema {schema} cascade")).await;
    assert_eq!(seen, ["shop/click-1", "shop/click-2"]);
}
