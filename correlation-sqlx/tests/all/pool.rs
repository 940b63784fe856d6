//! The `application_name` of pooled connections, as the server tells it.

use correlation_sqlx::correlation::testing::LogCapture;
use correlation_sqlx::correlation::{detached, scope};
use correlation_sqlx::{Application, Correlate, CorrelatedPoolOptions};
use correlation_testkit::id;
use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::{Connection, PgPool};
use tokio::task::JoinSet;

use crate::{POSTGRES, name_for, name_now, postgres};

#[tokio::test]
async fn each_request_has_its_id_and_leaves_none_behind() {
    if !postgres() {
        return;
    }
    let pool = correlated(1).await;
    assert_eq!(name_now(&pool).await, "shop");
    assert_eq!(name_for(&pool, "click-1").await, "shop/click-1");
    assert_eq!(name_for(&pool, "click-2").await, "shop/click-2");
    assert_eq!(name_now(&pool).await, "shop");
    let outside = scope(id("click-3"), async { detached(name_now(&pool)).await });
    assert_eq!(outside.await, "shop");

    // A rollback does not bring a former name back.
    scope(id("click-4"), async {
        let transaction = pool.begin().await.unwrap();
        transaction.rollback().await.unwrap();
        assert_eq!(name_now(&pool).await, "shop/click-4");
    })
    .await;
}

/// Why the hook sends its statement each time, also for the ID that the connection had last.
#[tokio::test]
async fn whatever_was_done_to_the_name_the_next_task_has_its_own() {
    if !postgres() {
        return;
    }
    let pool = correlated(1).await;
    for done in [
        "select 1",
        "set application_name = 'other'",
        "begin; set application_name = 'other'; commit",
        "begin; select set_config('application_name', 'other', false); rollback",
        "reset application_name",
        "reset all",
        "discard all",
    ] {
        let request = scope(id("click-1"), async {
            assert_eq!(name_now(&pool).await, "shop/click-1", "before {done}");
            sqlx::raw_sql(done).execute(&pool).await.unwrap();
            name_now(&pool).await
        });
        assert_eq!(request.await, "shop/click-1", "after {done}");
        assert_eq!(name_now(&pool).await, "shop", "after {done}");
    }
}

#[tokio::test]
async fn a_new_connection_has_the_id_at_once() {
    if !postgres() {
        return;
    }
    let pool = options(1).connect_lazy(POSTGRES).unwrap();
    assert_eq!(name_for(&pool, "click-1").await, "shop/click-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_requests_on_five_connections() {
    if !postgres() {
        return;
    }
    assert_eq!(right_names(correlated(5).await).await, 1000);
    // The mistake that is easily made: a hook for new connections only.
    let shop = Application::new("shop");
    let once = PgPoolOptions::new().max_connections(5);
    let once = once.after_connect(move |connection, _| {
        let shop = shop.clone();
        Box::pin(async move { shop.tag(connection).await })
    });
    let once = once.connect(POSTGRES).await.unwrap();
    let right = right_names(once).await;
    assert!(right < 500, "{right} names are right without a hook");
}

/// How many of 200 concurrent requests with 5 queries each see their own ID.
async fn right_names(pool: PgPool) -> usize {
    let mut requests = JoinSet::new();
    for i in 0..200 {
        let pool = pool.clone();
        let text = format!("click-{i}");
        requests.spawn(scope(id(&text), async move {
            let mut right = 0;
            for _ in 0..5 {
                right += usize::from(name_now(&pool).await == format!("shop/{text}"));
                tokio::task::yield_now().await;
            }
            right
        }));
    }
    requests.join_all().await.into_iter().sum()
}

#[tokio::test]
async fn a_name_is_never_longer_than_the_server_keeps() {
    if !postgres() {
        return;
    }
    let long = "The shop, which has a name of the sixty-three bytes it may have";
    assert_eq!(long.len(), Application::MAX_LEN);
    let pool = PgPoolOptions::new().max_connections(1).correlate(long);
    let pool = pool.connect(POSTGRES).await.unwrap();
    assert_eq!(name_now(&pool).await, long);
    for len in [1, 36, 58, 61, 62, 63] {
        let text = "i".repeat(len);
        let name = name_for(&pool, &text).await;
        assert!(name.len() == 63 || len > 61, "{name}");
        assert!(name.ends_with(&text), "{name}");
    }
    // Found by the first 63 bytes.
    let text = "0123456789".repeat(12);
    assert_eq!(name_for(&pool, &text).await, text[..63]);
}

#[tokio::test]
async fn a_name_is_a_value_and_not_sql() {
    if !postgres() {
        return;
    }
    let name = "o'shop'; select pg_sleep(99) --\\ \"%s $1";
    let pool = PgPoolOptions::new().max_connections(1).correlate(name);
    let pool = pool.connect(POSTGRES).await.unwrap();
    assert_eq!(name_now(&pool).await, name);
    let seen = name_for(&pool, "a:b@c").await;
    assert_eq!(seen, format!("{name}/a:b@c"));
}

#[test]
fn a_bad_name_is_an_error_at_start_up() {
    let options = PgPoolOptions::new();
    let error = options.try_correlate("caf\u{e9}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "byte 3 of the application name is not printable ASCII"
    );
    let options = PgPoolOptions::new().try_correlate("shop").unwrap();
    let debug = format!("{options:?}");
    assert!(
        debug.starts_with("CorrelatedPoolOptions { options: PoolOptions {"),
        "{debug}"
    );
    assert!(debug.contains("shop"), "{debug}");
}

#[tokio::test]
async fn a_dead_connection_is_replaced() {
    if !postgres() {
        return;
    }
    let pool = correlated(1).await;
    kill_its_connection(&pool).await;
    let log = LogCapture::start();
    assert_eq!(name_for(&pool, "click-1").await, "shop/click-1");
    let warning = log.wait_for(|line| line.target == "correlation").message;
    let expected = "a connection is replaced: its application_name cannot be set: ";
    assert!(warning.starts_with(expected), "{warning}");
    // It is the hook that notices: with neither ping nor hook the query fails.
    let unchecked = PgPoolOptions::new().max_connections(1);
    let unchecked = unchecked.test_before_acquire(false);
    let unchecked = unchecked.connect(POSTGRES).await.unwrap();
    kill_its_connection(&unchecked).await;
    sqlx::query("select 1")
        .execute(&unchecked)
        .await
        .unwrap_err();
}

/// Ends the server's side of the only connection, and waits until it is gone.
async fn kill_its_connection(pool: &PgPool) {
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(pool)
        .await
        .unwrap();
    while pool.num_idle() == 0 {
        tokio::task::yield_now().await; // until it is back in the pool
    }
    let mut other = PgConnection::connect(POSTGRES).await.unwrap();
    let kill = sqlx::query("select pg_terminate_backend($1)").bind(pid);
    kill.execute(&mut other).await.unwrap();
    loop {
        let alive = sqlx::query("select 1 from pg_stat_activity where pid = $1").bind(pid);
        if alive.fetch_optional(&mut other).await.unwrap().is_none() {
            return;
        }
    }
}

#[tokio::test]
async fn other_sessions_see_who_is_waiting() {
    if !postgres() {
        return;
    }
    let pool = correlated(1).await;
    let request = format!("click-{}", std::process::id());
    let sleep = scope(id(&request), async move {
        sqlx::query("select pg_sleep(60)").execute(&pool).await
    });
    let sleep = tokio::spawn(sleep);
    let mut other = PgConnection::connect(POSTGRES).await.unwrap();
    let query = loop {
        let of = "select query from pg_stat_activity where application_name = $1 and query ~ $2";
        let query = sqlx::query_scalar(of)
            .bind(format!("shop/{request}"))
            .bind("pg_sleep");
        let query: Option<String> = query.fetch_optional(&mut other).await.unwrap();
        match query {
            Some(query) => break query,
            None => assert!(!sleep.is_finished()),
        }
    };
    assert_eq!(query, "select pg_sleep(60)");
    let cancel = "select pg_cancel_backend(pid) from pg_stat_activity where application_name = $1";
    let cancel = sqlx::query(cancel).bind(format!("shop/{request}"));
    cancel.execute(&mut other).await.unwrap();
    sleep.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn connections_that_no_hook_sees_are_tagged_by_hand() {
    if !postgres() {
        return;
    }
    const NAME: &str = "select current_setting('application_name')";
    let (pool, shop) = (correlated(1).await, Application::new("shop"));
    name_for(&pool, "click-1").await;
    while pool.num_idle() == 0 {
        tokio::task::yield_now().await;
    }
    // sqlx calls no hook here, so the name is the former one until it is set.
    let mut connection = pool.try_acquire().unwrap();
    let before: String = sqlx::query_scalar(NAME)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(before, "shop/click-1");
    for text in ["click-2", "click-3"] {
        let name: String = scope(id(text), async {
            shop.tag(&mut connection).await.unwrap();
            sqlx::query_scalar(NAME).fetch_one(&mut *connection).await
        })
        .await
        .unwrap();
        assert_eq!(name, format!("shop/{text}"));
    }
}

#[tokio::test]
async fn a_tag_in_a_failed_transaction_is_an_error() {
    if !postgres() {
        return;
    }
    let mut connection = PgConnection::connect(POSTGRES).await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    let fail = sqlx::query("select * from no_such_table");
    fail.execute(&mut *transaction).await.unwrap_err();
    let error = Application::new("shop").tag(&mut transaction).await;
    let error = error.unwrap_err().into_database_error().unwrap();
    assert_eq!(error.code().as_deref(), Some("25P02"));
}

fn options(connections: u32) -> CorrelatedPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .correlate("shop")
}

async fn correlated(connections: u32) -> PgPool {
    let pool = options(connections).connect(POSTGRES);
    pool.await.unwrap()
}
