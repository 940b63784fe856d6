//! The contract app of `conformance::actix`, as a process.

use std::io;

#[actix_web::main]
async fn main() -> io::Result<()> {
    conformance::actix::run(service_common::start()).await
}
