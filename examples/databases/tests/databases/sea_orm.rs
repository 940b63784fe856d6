use databases::sea_orm::connect;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::{CONNECTIONS, NAME, POSTGRES, postgres, wrong};

async fn name(database: DatabaseConnection) -> String {
    let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, NAME));
    row.await.unwrap().unwrap().try_get("", "name").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_tasks_have_their_own_id() {
    if !postgres() {
        return;
    }
    let database = connect(POSTGRES, CONNECTIONS).await.unwrap();
    let used = database.clone();
    assert_eq!(wrong(move || name(used.clone())).await, [""; 0]);
    for _ in 0..CONNECTIONS {
        assert_eq!(name(database.clone()).await, "shop");
    }
}
