//! What the tests need and a machine may lack.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) const POSTGRES: &str = "postgres://postgres@127.0.0.1:5432/test";
pub(crate) const MARIADB: &str = "mysql://root@127.0.0.1:3306/test";

/// Whether there is a PostgreSQL to test with.
pub(crate) fn postgres() -> bool {
    answers("PostgreSQL", 5432)
}

/// Whether there is a MariaDB or MySQL to test with.
pub(crate) fn mariadb() -> bool {
    answers("MariaDB", 3306)
}

fn answers(name: &str, port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let answer = TcpStream::connect_timeout(&address, Duration::from_secs(2));
    found(answer.map_err(|_| format!("no {name} at {address}"))).is_some()
}

/// What was found; if nothing, says why and gives `None`, or panics if
/// `CORRELATION_REQUIRE_SERVICES=1`.
pub(crate) fn found<T>(result: Result<T, String>) -> Option<T> {
    let required = std::env::var_os("CORRELATION_REQUIRE_SERVICES").is_some_and(|it| it == "1");
    match result {
        Ok(found) => Some(found),
        Err(reason) if required => panic!("CORRELATION_REQUIRE_SERVICES=1, but {reason}"),
        Err(reason) => {
            eprintln!("skipped: {reason}");
            None
        }
    }
}
