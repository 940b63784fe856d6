//! tokio-postgres with deadpool-postgres: the ID in the `application_name`, from hooks of the pool.
//!
//! The hooks run within `pool.get()`, in the calling task. So the ID is the one of this task.

use correlation_core::current;
use deadpool_postgres::{BuildError, ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool};
use futures_util::future::join;
use tokio_postgres::{Config, Error, NoTls};

/// It does not use `SET`, which takes no parameter. Behind a PgBouncer before 1.21, which mixes up
/// prepared statements, send it with `execute_typed`.
const SET: &str = "select pg_catalog.set_config('application_name', $1, false)";

/// Makes a pool whose connections have the name `shop/ID` while a task with this ID holds them, and
/// `shop` while a task without an ID does.
///
/// # Errors
///
/// None with these settings, because only timeouts need a runtime.
pub fn pool(config: Config, connections: usize) -> Result<Pool, BuildError> {
    let manager = Manager::from_config(config, NoTls, ManagerConfig::default());
    Pool::builder(manager)
        .max_size(connections)
        // It needs both: one is for new connections, and one for connections that were used before.
        .post_create(hook())
        .post_recycle(hook())
        .build()
}

/// Sets the name in one round trip. If it fails, the pool takes another connection. So no task gets
/// a dead connection, or one with the ID of another task.
fn hook() -> Hook {
    Hook::async_fn(|client, _| {
        let set = with_id(client, async { Ok(()) });
        Box::pin(async { set.await.map_err(HookError::Backend) })
    })
}

/// Sets the name and runs a query, in one round trip for both.
///
/// It is for a pool without the hooks, where each query uses this function. Only one task at a time
/// may use the client.
pub async fn with_id<T>(
    client: &ClientWrapper,
    query: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let set = client.prepare_cached(SET).await?;
    let mut name = current().map_or_else(|| "shop".to_owned(), |id| format!("shop/{id}"));
    name.truncate(63); // PostgreSQL would, too, but with a notice each time; all of it is ASCII
    // Both are sent in this order, without waiting in between.
    let (set, found) = join(client.execute(&set, &[&name]), query).await;
    set.and(found)
}
