//! The connection that the examples with Redis share.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};

use crate::Result;

/// Connects to the Redis of this machine. A consumer needs a separate connection, because a read
/// that waits blocks everything after it.
pub async fn connect() -> Result<MultiplexedConnection> {
    let client = Client::open("redis://127.0.0.1:6379")?;
    // A read may take longer than the default response timeout of the client.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    Ok(connection.await?)
}
