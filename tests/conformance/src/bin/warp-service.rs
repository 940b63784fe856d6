//! The contract app of `conformance::warp`, as a process.

use std::io;

#[tokio::main]
async fn main() -> io::Result<()> {
    conformance::warp::run(service_common::start()).await
}
