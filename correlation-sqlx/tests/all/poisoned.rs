//! Connections that come back to the pool alive, but in a state in which no statement works.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use correlation_sqlx::Correlate;
use correlation_sqlx::correlation::scope;
use correlation_sqlx::correlation::testing::LogCapture;
use correlation_testkit::id;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;

use crate::{POSTGRES, name_now, postgres};

/// How long anything may take until it counts as hanging. A test that passes never waits for it.
const DEADLINE: Duration = Duration::from_secs(60);
const CONNECTIONS: u32 = 5;

fn options() -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(600))
}

/// Leaves every connection of the pool in a transaction that has failed.
async fn poison(pool: &PgPool) {
    let fail = async |connection: &mut PgConnection| {
        // From here on the hook's own statement is a prepared one.
        let one = sqlx::query("select 1").execute(&mut *connection);
        one.await.unwrap();
        let fail = sqlx::raw_sql("begin; select * from no_such_table");
        fail.execute(connection).await.unwrap_err();
    };
    fill(pool, fail).await;
}

/// Opens all connections that the pool may have, and does something with each.
async fn fill(pool: &PgPool, run: impl AsyncFn(&mut PgConnection)) {
    let mut all = Vec::new();
    for _ in 0..CONNECTIONS {
        all.push(pool.acquire().await.unwrap());
    }
    for connection in &mut all {
        run(connection).await;
    }
    drop(all);
    while pool.num_idle() < CONNECTIONS as usize {
        tokio::task::yield_now().await;
    }
}
/// How many of forty callers get a connection that has their ID.
async fn right_names(pool: &PgPool) -> usize {
    let mut callers = JoinSet::new();
    for i in 0..40 {
        let (pool, text) = (pool.clone(), format!("click-{i}"));
        callers.spawn(scope(id(&text), async move {
            usize::from(name_now(&pool).await == format!("shop/{text}"))
        }));
    }
    let all = tokio::time::timeout(DEADLINE, callers.join_all());
    all.await.expect("nobody waits for ever").into_iter().sum()
}

// Over TLS, if the server has it: there an error of the hook makes sqlx wait for ever.
#[tokio::test]
async fn callers_get_a_connection_when_all_are_poisoned() {
    if !postgres() {
        return;
    }
    let pool = options().correlate("shop").connect(POSTGRES);
    let pool = pool.await.unwrap();
    poison(&pool).await;
    assert_eq!(right_names(&pool).await, 40);
}

#[tokio::test]
async fn an_error_of_the_users_hook_replaces_the_connection_too() {
    if !postgres() {
        return;
    }
    // Once for each of the first connections.
    let left = Arc::new(AtomicU32::new(CONNECTIONS));
    let errors = Arc::clone(&left);
    let options = options().correlate("shop").before_acquire(move |_, _| {
        let one = errors.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        Box::pin(async move {
            match one {
                Ok(_) => Err(sqlx::Error::protocol("the hook's own")),
                Err(_) => Ok(true),
            }
        })
    });
    let pool = options.connect(POSTGRES).await.unwrap();
    fill(&pool, async |_| {}).await;
    assert_eq!(right_names(&pool).await, 40);
    assert_eq!(left.load(Relaxed), 0);
}

/// Whoever failed may have left the connection in any state.
#[tokio::test]
async fn the_connection_of_a_hook_that_failed_is_gone() {
    if !postgres() {
        return;
    }
    let left = AtomicU32::new(1);
    let options = PgPoolOptions::new().max_connections(1);
    let options = options.correlate("shop").before_acquire(move |_, _| {
        let fails = left.swap(0, Relaxed) == 1;
        Box::pin(async move {
            match fails {
                true => Err(sqlx::Error::protocol("the hook's own")),
                false => Ok(true),
            }
        })
    });
    let pool = options.connect_lazy(POSTGRES).unwrap();
    let backend = async || {
        let backend = sqlx::query_scalar::<_, i32>("select pg_backend_pid()");
        backend.fetch_one(&pool).await.unwrap()
    };
    let log = LogCapture::start();
    let (first, second, third) = (backend().await, backend().await, backend().await);
    assert_ne!(first, second);
    assert_eq!(second, third);
    let warning = log.wait_for(|line| line.target == "correlation").message;
    let expected = "a connection is replaced: your `before_acquire` returned an error: ";
    assert!(warning.starts_with(expected), "{warning}");
    assert!(warning.ends_with("the hook's own"), "{warning}");
}

/// It has no ID, and it is better than none.
#[tokio::test]
async fn a_new_connection_that_takes_no_name_is_given_out() {
    if !postgres() {
        return;
    }
    let options = options().correlate("shop").after_connect(|connection, _| {
        Box::pin(async move {
            let fail = sqlx::raw_sql("begin; select * from no_such_table");
            fail.execute(connection).await.unwrap_err();
            Ok(())
        })
    });
    let pool = options.connect_lazy(POSTGRES).unwrap();
    let log = LogCapture::start();
    let acquired = tokio::time::timeout(DEADLINE, pool.acquire()).await;
    let mut connection = acquired.expect("nobody waits for ever").unwrap();
    let warning = log.wait_for(|line| line.target == "correlation").message;
    let expected = "a new connection has no ID: its application_name cannot be set: ";
    assert!(warning.starts_with(expected), "{warning}");
    let end = sqlx::raw_sql("rollback").execute(&mut *connection);
    end.await.unwrap();
}
