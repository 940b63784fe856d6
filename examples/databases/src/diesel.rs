//! diesel with r2d2 on PostgreSQL: the ID in the `application_name`.
//!
//! `on_acquire` of r2d2 runs only for new connections. But `pool.get()` checks each connection
//! before it returns it, in the calling thread. The statement that sets the name is that check.

use correlation_core::current;
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, Error, ManageConnection};
use diesel::sql_types::Text;
use diesel::{RunQueryDsl, sql_query};

/// Replaces the `ConnectionManager`: `Pool::new(Correlated::new(url))`.
#[derive(Debug)]
pub struct Correlated(ConnectionManager<PgConnection>);

impl Correlated {
    /// A connection has the name `shop/ID` while a thread with this ID holds it, and `shop` while a
    /// thread without an ID does. Leave the pool's `test_on_check_out` on.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self(ConnectionManager::new(url))
    }
}

impl ManageConnection for Correlated {
    type Connection = PgConnection;
    type Error = Error;

    fn connect(&self) -> Result<PgConnection, Error> {
        self.0.connect()
    }

    /// Sets the name in one round trip, which replaces diesel's own `SELECT 1`. If it fails, r2d2
    /// takes another connection. So no thread gets a dead connection, or one with the ID of another
    /// thread.
    fn is_valid(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let sql = "select pg_catalog.set_config('application_name', $1, false)";
        let set = sql_query(sql).bind::<Text, _>(application_name());
        set.execute(connection).map(drop).map_err(Error::QueryError)
    }

    fn has_broken(&self, connection: &mut PgConnection) -> bool {
        self.0.has_broken(connection)
    }
}

fn application_name() -> String {
    let mut name = current().map_or_else(|| "shop".to_owned(), |id| format!("shop/{id}"));
    name.truncate(63); // PostgreSQL would, too, but with a notice each time; all of it is ASCII
    name
}
