use std::fmt;
use std::future::Future;
use std::sync::Arc;

use correlation_core::{CorrelationId, current};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The name of this program in PostgreSQL.
///
/// [`tag`](Self::tag) puts it on a connection together with the ambient ID: `shop/click-1`.
/// [`Correlate::correlate`](crate::Correlate::correlate) does that whenever a pool gives out a
/// connection. Use an `Application` where no such hook of the pool runs:
///
/// - in your own hooks,
/// - for a connection that one task keeps while it works for many requests,
/// - for a connection without a pool,
/// - for `Pool::try_acquire` and `Pool::try_begin`.
///
/// ```no_run
/// use correlation_sqlx::{Application, correlation};
/// use sqlx::Connection;
///
/// # async fn example() -> sqlx::Result<()> {
/// let shop = Application::new("shop");
/// let mut connection = sqlx::PgConnection::connect("postgres://localhost").await?;
/// # let jobs: Vec<correlation::CorrelationId> = Vec::new();
/// for id in jobs {
///     correlation::scope(id, async {
///         shop.tag(&mut connection).await?;
///         sqlx::query("delete from carts").execute(&mut connection).await
///     })
///     .await?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Application(Arc<str>);

impl Application {
    /// The maximum size of an `application_name`, in bytes: PostgreSQL cuts it to
    /// `NAMEDATALEN - 1`.
    pub const MAX_LEN: usize = 63;

    /// Makes an application with this name: 1 to 63 bytes of printable ASCII.
    ///
    /// PostgreSQL cuts longer names and writes `?` for other characters ([documentation]).
    ///
    /// [documentation]: https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-APPLICATION-NAME
    ///
    /// # Panics
    ///
    /// If the name is not 1 to 63 bytes of printable ASCII.
    #[track_caller]
    #[must_use]
    pub fn new(name: impl AsRef<str>) -> Self {
        match Self::try_new(name) {
            Ok(application) => application,
            Err(error) => panic!("{error}"),
        }
    }

    /// Does the same as [`new`](Self::new), for a name from a configuration.
    ///
    /// # Errors
    ///
    /// If the name is not 1 to 63 bytes of printable ASCII.
    pub fn try_new(name: impl AsRef<str>) -> Result<Self, InvalidApplication> {
        let name = name.as_ref();
        if name.is_empty() || name.len() > Self::MAX_LEN {
            return Err(InvalidApplication(Fault::Length(name.len())));
        }
        match name.bytes().position(|b| !(b' '..=b'~').contains(&b)) {
            Some(at) => Err(InvalidApplication(Fault::Byte(at))),
            None => Ok(Self(name.into())),
        }
    }

    /// Returns the `application_name` for the ambient ID: `shop/click-1`, or `shop` if there is no
    /// ID.
    ///
    /// The ID is kept whole. If both together are longer than 63 bytes, the name of the application
    /// is cut or left out. If the ID alone is longer than 63 bytes, its first 63 bytes are kept.
    #[must_use]
    pub fn name(&self) -> String {
        current().map_or_else(|| self.0.to_string(), |id| self.with(&id))
    }

    fn with(&self, id: &CorrelationId) -> String {
        let mut name = String::with_capacity(Self::MAX_LEN);
        let room = Self::MAX_LEN.saturating_sub(id.as_str().len() + 1);
        if room > 0 {
            name.push_str(&self.0[..room.min(self.0.len())]);
            name.push('/');
        }
        // Both are ASCII, so every cut is between characters. PostgreSQL would also cut the whole
        // name, but at the end, where the ID is, and with a notice each time.
        name.push_str(&id.as_str()[..id.as_str().len().min(Self::MAX_LEN)]);
        name
    }

    /// Sets the `application_name` of a connection to the current [`name`](Self::name), in one
    /// round trip.
    ///
    /// The connection keeps the name until it gets another one. If you call this in a transaction,
    /// a rollback undoes it.
    ///
    /// # Errors
    ///
    /// If the connection is broken, or its transaction has failed, as for any statement.
    pub async fn tag(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        set(connection, self.name()).await
    }
}

/// Sets the name for the session, in one round trip.
///
/// - It calls a function and does not use `SET`. `SET` takes no parameter, so each ID would be a
///   new statement for `pg_stat_statements`.
/// - A prepared statement is the cheapest, but only connections that keep such statements anyway
///   get one. Behind a PgBouncer that does not know them (before 1.21, in transaction mode), those
///   of all clients collide on the server.
/// - The function has its schema, because a `search_path` can put another function of that name
///   first.
/// - It also runs if the connection already has this name, because sqlx 0.9 does not expose the
///   name. The server reports every change of it, also by rollbacks and resets, but the report
///   stays in sqlx (`PgStream::parameter_statuses`). Our own record would miss those changes. It
///   would also have no key, because the address of a connection changes and its metadata are
///   durations.
/// - The statement cannot go with the next query: `PgConnection::run` waits for the last answer
///   before it writes.
pub(crate) async fn set(connection: &mut PgConnection, name: String) -> sqlx::Result<()> {
    if connection.cached_statements_size() > 0 {
        let statement = "SELECT pg_catalog.set_config('application_name', $1, false)";
        let statement = sqlx::query(statement).bind(name);
        return unlogged(statement.execute(connection)).await.map(drop);
    }
    let name = name.replace('\\', r"\\").replace('\'', "''");
    let statement = format!("SELECT pg_catalog.set_config('application_name', E'{name}', false)");
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    unlogged(statement.execute(connection)).await.map(drop)
}

/// Keeps the statement of each acquire out of sqlx's log of statements, unless that log shows
/// everything. It has to do that here, because sqlx has one log level per connection and none per
/// statement.
async fn unlogged<F: Future>(statement: F) -> F::Output {
    #[cfg(feature = "tracing")]
    {
        use tracing::instrument::WithSubscriber;
        use tracing::{Dispatch, Level, enabled};

        if !enabled!(target: "sqlx::query", Level::TRACE) {
            return statement.with_subscriber(Dispatch::none()).await;
        }
    }
    statement.await
}

/// The error of a text that cannot be the name of an [`Application`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidApplication(Fault);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Fault {
    Length(usize),
    Byte(usize),
}

impl fmt::Display for InvalidApplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Fault::Length(len) => {
                write!(f, "an application name has 1 to 63 bytes, not {len}")
            }
            Fault::Byte(at) => {
                write!(
                    f,
                    "byte {at} of the application name is not printable ASCII"
                )
            }
        }
    }
}

impl std::error::Error for InvalidApplication {}

#[cfg(test)]
mod tests {
    use correlation_core::sync_scope;

    use super::*;

    fn name(application: &str, id: usize) -> String {
        let id: CorrelationId = "0123456789".repeat(26)[..id].parse().unwrap();
        sync_scope(id, || Application::new(application).name())
    }

    #[test]
    fn the_name_holds_both() {
        let id: CorrelationId = "click-1".parse().unwrap();
        let shop = Application::new("shop");
        assert_eq!(sync_scope(id, || shop.name()), "shop/click-1");
        assert_eq!(shop.name(), "shop");
    }

    #[test]
    fn the_id_is_whole_and_the_application_is_cut() {
        let digits = "0123456789".repeat(26);
        assert_eq!(name("shop", 58), format!("shop/{}", &digits[..58]));
        assert_eq!(name("shop", 59), format!("sho/{}", &digits[..59]));
        assert_eq!(name("shop", 61), format!("s/{}", &digits[..61]));
        for id in [62, 63] {
            assert_eq!(name("shop", id), digits[..id]);
        }
        for id in [64, 128, 255] {
            assert_eq!(name("shop", id), digits[..63]);
        }
        let long = "a".repeat(63);
        for id in 1..=255 {
            assert!(name(&long, id).len() <= Application::MAX_LEN);
            assert!(name(&long, id).ends_with(&digits[..id.min(63)]));
        }
    }

    #[test]
    fn a_bad_name_is_an_error_that_says_what_and_where() {
        let error = |name: &str| Application::try_new(name).unwrap_err().to_string();
        assert_eq!(error(""), "an application name has 1 to 63 bytes, not 0");
        assert_eq!(
            error(&"a".repeat(64)),
            "an application name has 1 to 63 bytes, not 64"
        );
        assert_eq!(
            error("caf\u{e9}"),
            "byte 3 of the application name is not printable ASCII"
        );
        assert_eq!(
            error("a\nb"),
            "byte 1 of the application name is not printable ASCII"
        );
        assert!(Application::try_new("My shop (test)").is_ok());
        assert!(Application::try_new("a".repeat(63)).is_ok());
    }

    #[test]
    #[should_panic(expected = "an application name has 1 to 63 bytes, not 0")]
    fn a_bad_name_in_the_program_panics() {
        let _ = Application::new("");
    }
}
