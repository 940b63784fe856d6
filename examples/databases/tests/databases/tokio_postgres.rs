use correlation_core::scope;
use correlation_testkit::id;
use databases::tokio_postgres::{pool, with_id};
use deadpool_postgres::{Manager, Pool};
use tokio_postgres::NoTls;

use crate::{CONNECTIONS, NAME, POSTGRES, postgres, wrong};

async fn name(pool: Pool) -> String {
    let client = pool.get().await.unwrap();
    client.query_one(NAME, &[]).await.unwrap().get("name")
}

fn correlated(connections: u32) -> Pool {
    pool(POSTGRES.parse().unwrap(), connections as usize).unwrap()
}

fn plain() -> Pool {
    let plain = Manager::new(POSTGRES.parse().unwrap(), NoTls);
    let plain = Pool::builder(plain).max_size(CONNECTIONS as usize);
    plain.build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_tasks_have_their_own_id() {
    if !postgres() {
        return;
    }
    let pool = correlated(CONNECTIONS);
    let used = pool.clone();
    assert_eq!(wrong(move || name(used.clone())).await, [""; 0]);
    assert_eq!(pool.status().size, CONNECTIONS as usize);
    // All of them have had an ID.
    for _ in 0..CONNECTIONS {
        assert_eq!(name(pool.clone()).await, "shop");
    }
    // Without the hooks no name is right.
    let plain = plain();
    assert_eq!(wrong(move || name(plain.clone())).await.len(), 250);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_hooks_the_name_goes_with_the_query() {
    if !postgres() {
        return;
    }
    async fn name(pool: Pool) -> String {
        let client = pool.get().await.unwrap();
        // Not prepared first, so that it comes at once after the name.
        let rows = with_id(&client, client.query_typed(NAME, &[])).await;
        rows.unwrap()[0].get("name")
    }
    let pool = plain();
    let used = pool.clone();
    assert_eq!(wrong(move || name(used.clone())).await, [""; 0]);
    for _ in 0..CONNECTIONS {
        assert_eq!(name(pool.clone()).await, "shop");
    }
    // It waits for both, and says what is wrong.
    let client = pool.get().await.unwrap();
    let error = with_id(&client, client.batch_execute("no SQL")).await;
    assert_eq!(error.unwrap_err().code().unwrap().code(), "42601");
}

#[tokio::test]
async fn a_rollback_does_not_bring_a_former_id_back() {
    if !postgres() {
        return;
    }
    let pool = correlated(1);
    scope(id("click-1"), name(pool.clone())).await;
    scope(id("click-2"), async {
        let mut client = pool.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        transaction.rollback().await.unwrap();
        let row = client.query_one(NAME, &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>("name"), "shop/click-2");
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_takes_no_statement_is_replaced() {
    if !postgres() {
        return;
    }
    let pool = correlated(1);
    scope(id("click-1"), async {
        let client = pool.get().await.unwrap();
        let fail = "begin; select * from no_such_table";
        client.batch_execute(fail).await.unwrap_err();
    })
    .await;
    assert_eq!(scope(id("click-2"), name(pool)).await, "shop/click-2");
}

#[tokio::test]
async fn long_ids_are_found_by_their_first_bytes() {
    if !postgres() {
        return;
    }
    let text = "0123456789".repeat(12);
    let seen = scope(id(&text), name(correlated(1))).await;
    assert_eq!(seen, format!("shop/{}", &text[..58]));
}
