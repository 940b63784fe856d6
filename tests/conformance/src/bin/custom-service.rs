//! The contract app of `conformance::custom`, as a process.

use std::io;

#[tokio::main]
async fn main() -> io::Result<()> {
    conformance::custom::run(service_common::start()).await
}
