//! The store of the orders: SQLite in a file, or PostgreSQL.

use std::str::FromStr;

use log::LevelFilter;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use super::messages::{Cents, Purchase};
use super::{cannot_use, servers, variable};
use crate::Failure;

/// The orders.
#[derive(Clone, Debug)]
pub(super) enum Store {
    Sqlite(SqlitePool),
    Server(servers::Store),
}

impl Store {
    /// Opens the database that the environment names, and creates its table if necessary.
    pub(super) async fn from_env() -> Result<Self, Failure> {
        let url = variable(DATABASE_URL)?;
        let store = Self::open(&url).await;
        store.map_err(|error| cannot_use(DATABASE_URL, &url, &error))
    }

    async fn open(url: &str) -> Result<Self, Failure> {
        if !url.starts_with("sqlite:") {
            return Ok(Self::Server(servers::Store::open(url).await?));
        }
        let options = SqliteConnectOptions::from_str(url)?
            // sqlx writes a record for each statement. It has the ID, like any other record.
            .log_statements(LevelFilter::Info);
        let pool = SqlitePool::connect_with(options).await?;
        sqlx::query(CREATE).execute(&pool).await?;
        Ok(Self::Sqlite(pool))
    }

    /// Stores an order, and returns its new number.
    pub(super) async fn insert(&self, purchase: &Purchase, total: Cents) -> sqlx::Result<u32> {
        let (cart, total) = (i64::from(purchase.cart), total.0.cast_signed());
        let id: i64 = match self {
            Self::Sqlite(pool) => {
                let insert = sqlx::query_scalar(INSERT).bind(cart).bind(total);
                insert.fetch_one(pool).await?
            }
            Self::Server(store) => store.insert(cart, total).await?,
        };
        u32::try_from(1000 + id).map_err(|error| sqlx::Error::Decode(error.into()))
    }

    /// Stores the receipt of the payment of an order.
    pub(super) async fn paid(&self, order: u32, receipt: &str) -> sqlx::Result<()> {
        let id = i64::from(order) - 1000;
        match self {
            Self::Sqlite(pool) => {
                let update = sqlx::query(UPDATE).bind(receipt).bind(id);
                update.execute(pool).await.map(drop)
            }
            Self::Server(store) => store.paid(id, receipt).await,
        }
    }
}

pub(crate) const DATABASE_URL: &str = "DATABASE_URL";

const CREATE: &str = "CREATE TABLE IF NOT EXISTS storefront_orders (\
    id INTEGER PRIMARY KEY, cart BIGINT NOT NULL, total BIGINT NOT NULL, receipt TEXT)";
pub(super) const INSERT: &str =
    "INSERT INTO storefront_orders (cart, total) VALUES ($1, $2) RETURNING id";
pub(super) const UPDATE: &str = "UPDATE storefront_orders SET receipt = $1 WHERE id = $2";
