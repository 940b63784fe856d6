//! The contract app of `conformance::axum`, as a process.

use std::io;

#[tokio::main]
async fn main() -> io::Result<()> {
    conformance::axum::run(service_common::start()).await
}
