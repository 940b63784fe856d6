//! The Rust services of the chain, on two frameworks: `python-chain axum`, `python-chain actix`.
//!
//! Each answers `GET /hop/{purchase}`: it logs, asks the service at `DOWNSTREAM` the same, logs
//! again, and answers with its ID and with what the other one said.

mod downstream;
mod on_actix;
mod on_axum;

use std::{env, io, process};

use service_common::{Config, logs};

fn main() -> io::Result<()> {
    let config = Config::from_env_or_exit();
    logs::init(&config);
    match env::args().nth(1).as_deref() {
        Some("axum") => on_axum::run(&config),
        Some("actix") => on_actix::run(config),
        _ => {
            eprintln!("usage: python-chain axum|actix");
            process::exit(2)
        }
    }
}
