//! tokio-postgres with deadpool-postgres: the ID in the `application_name`, from hooks of the pool.
//!
//! The hooks run within `pool.get()`, in the task that asks, so the ID is that of this task.

use correlation_core::current;
use deadpool_postgres::{BuildError, ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool};
use futures_util::future::join;
use tokio_postgres::{Config, Error, NoTls};

/// Not `SET`, which takes no parameter. Behind a PgBouncer before 1.21, which mixes up statements
/// that are prepared, send it with `execute_typed`.
const SET: &str = "select pg_catalog.set_config('application_name', $1, false)";

/// A pool whose connections have the name `shop/ID` while a task with this ID holds them, and `shop`
/// in the hands of a task without one.
///
/// # Errors
///
/// None with these settings: only timeouts ask for a runtime.
pub fn pool(config: Config, connections: usize) -> Result<Pool, BuildError> {
    let manager = Manager::from_config(config, NoTls, ManagerConfig::default());
    Pool::builder(manager)
        .max_size(connections)
        // Both: one is for new connections, one for those that were used before.
        .post_create(hook())
        .post_recycle(hook())
        .build()
}

/// One round trip. If it fails, the pool takes another connection: so nobody gets one that is dead,
/// or with the ID of somebody else.
fn hook() -> Hook {
    Hook::async_fn(|client, _| {
        let set = with_id(client, async { Ok(()) });
        Box::pin(async { set.await.map_err(HookError::Backend) })
    })
}

/// A query after the name, in one round trip for both: for a pool without the hooks, where each query
/// goes through here. The client has to be in the hands of one task alone.
///
/// # Errors
///
/// That of setting the name, else that of the query.
pub async fn with_id<T>(
    client: &ClientWrapper,
    query: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let set = client.prepare_cached(SET).await?;
    let mut name = current().map_or_else(|| "shop".to_owned(), |id| format!("shop/{id}"));
    name.truncate(63); // PostgreSQL would, too, but with a notice each time; all of it is ASCII
    // Sent in this order, and without waiting in between.
    let (set, found) = join(client.execute(&set, &[&name]), query).await;
    set.and(found)
}
