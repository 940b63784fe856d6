//! The contract app of `conformance::rocket`, as a process.

use std::io;

// Not `#[rocket::main]`: for its runtime that one reads `ROCKET_*` and `Rocket.toml`, and a service
// has the variables of `Config` alone.
#[tokio::main]
async fn main() -> io::Result<()> {
    conformance::rocket::run(service_common::start()).await
}
