use correlation_core::{scope, spawn_blocking};
use correlation_testkit::id;
use databases::diesel::Correlated;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, ManageConnection, Pool};
use diesel::sql_types::Text;
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::{CONNECTIONS, NAME, POSTGRES, postgres, wrong};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
}

fn ask(connection: &mut PgConnection) -> String {
    sql_query(NAME).get_result::<Row>(connection).unwrap().name
}

/// Asked from a thread, as diesel wants it.
async fn name<M: ManageConnection<Connection = PgConnection>>(pool: Pool<M>) -> String {
    let asks = spawn_blocking(move || ask(&mut pool.get().unwrap()));
    asks.await.unwrap()
}

fn pool<M: ManageConnection>(manager: M, connections: u32) -> Pool<M> {
    Pool::builder()
        .max_size(connections)
        .build(manager)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_tasks_have_their_own_id() {
    if !postgres() {
        return;
    }
    let pool = pool(Correlated::new(POSTGRES), CONNECTIONS);
    let used = pool.clone();
    assert_eq!(wrong(move || name(used.clone())).await, [""; 0]);
    for _ in 0..CONNECTIONS {
        assert_eq!(name(pool.clone()).await, "shop");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_manager_no_name_is_right() {
    if !postgres() {
        return;
    }
    let plain = pool(
        ConnectionManager::<PgConnection>::new(POSTGRES),
        CONNECTIONS,
    );
    assert_eq!(wrong(move || name(plain.clone())).await.len(), 250);
}

#[tokio::test]
async fn a_connection_that_takes_no_statement_is_replaced() {
    if !postgres() {
        return;
    }
    let pool = pool(Correlated::new(POSTGRES), 1);
    let used = pool.clone();
    scope(id("click-1"), async {
        let fail = spawn_blocking(move || {
            let fail = "begin; select * from no_such_table";
            used.get().unwrap().batch_execute(fail).unwrap_err();
        });
        fail.await.unwrap();
    })
    .await;
    assert_eq!(scope(id("click-2"), name(pool)).await, "shop/click-2");
}
