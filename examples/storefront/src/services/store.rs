//! Where orders are kept: SQLite in a file, or PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use correlation_sqlx::Correlate;
use log::LevelFilter;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use super::messages::{Cents, Purchase};
use super::{cannot_use, variable};
use crate::Failure;

/// The orders.
#[derive(Clone, Debug)]
pub(super) enum Store {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Store {
    /// Opens the database of the environment, and creates its table if need be.
    pub(super) async fn from_env() -> Result<Self, Failure> {
        let url = variable(DATABASE_URL)?;
        let store = Self::open(&url).await;
        store.map_err(|error| cannot_use(DATABASE_URL, &url, &error))
    }

    async fn open(url: &str) -> Result<Self, Failure> {
        match url.split(':').next() {
            Some("sqlite") => {
                let options = SqliteConnectOptions::from_str(url)?
                    // sqlx writes a record for each statement. The ID is on it as on any other.
                    .log_statements(LevelFilter::Info);
                let pool = SqlitePool::connect_with(options).await?;
                sqlx::query(SQLITE).execute(&pool).await?;
                Ok(Self::Sqlite(pool))
            }
            Some("postgres" | "postgresql") => {
                let options = PgConnectOptions::from_str(url)?.log_statements(LevelFilter::Info);
                // The one line about correlation: the server's own log has the ID, too.
                let pool = PgPoolOptions::new().correlate("storefront");
                let pool = pool.acquire_timeout(PATIENCE).connect_with(options).await?;
                if sqlx::query(POSTGRES).execute(&pool).await.is_err() {
                    // Of two that create it at the same time, one gets an error.
                    sqlx::query(POSTGRES).execute(&pool).await?;
                }
                Ok(Self::Postgres(pool))
            }
            _ => Err("allowed is a sqlite: or postgres: URL".into()),
        }
    }

    /// Stores an order, and gives it a number.
    pub(super) async fn insert(&self, purchase: &Purchase, total: Cents) -> sqlx::Result<u32> {
        let (cart, total) = (i64::from(purchase.cart), total.0.cast_signed());
        let id: i64 = match self {
            Self::Sqlite(pool) => {
                let insert = sqlx::query_scalar(INSERT).bind(cart).bind(total);
                insert.fetch_one(pool).await?
            }
            Self::Postgres(pool) => {
                let insert = sqlx::query_scalar(INSERT).bind(cart).bind(total);
                insert.fetch_one(pool).await?
            }
        };
        u32::try_from(1000 + id).map_err(|error| sqlx::Error::Decode(error.into()))
    }

    /// Writes down what an order was paid with.
    pub(super) async fn paid(&self, order: u32, receipt: &str) -> sqlx::Result<()> {
        let id = i64::from(order) - 1000;
        match self {
            Self::Sqlite(pool) => {
                let update = sqlx::query(UPDATE).bind(receipt).bind(id);
                update.execute(pool).await?;
            }
            Self::Postgres(pool) => {
                let update = sqlx::query(UPDATE).bind(receipt).bind(id);
                update.execute(pool).await?;
            }
        }
        Ok(())
    }
}

/// How long a database may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) const DATABASE_URL: &str = "DATABASE_URL";

const SQLITE: &str = "CREATE TABLE IF NOT EXISTS storefront_orders (\
    id INTEGER PRIMARY KEY, cart BIGINT NOT NULL, total BIGINT NOT NULL, receipt TEXT)";
const POSTGRES: &str = "CREATE TABLE IF NOT EXISTS storefront_orders (\
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
    cart BIGINT NOT NULL, total BIGINT NOT NULL, receipt TEXT)";
const INSERT: &str = "INSERT INTO storefront_orders (cart, total) VALUES ($1, $2) RETURNING id";
const UPDATE: &str = "UPDATE storefront_orders SET receipt = $1 WHERE id = $2";
