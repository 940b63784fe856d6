//! One order goes through a Rust service, a Celery worker in Python and a Rust worker, under one
//! ID. See the README beside this for what to start.

mod broker;
mod service;
mod worker;

use std::error::Error;
use std::{env, process};

use service_common::{Config, logs, terminated};

use broker::Broker;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let config = Config::from_env_or_exit();
    logs::init(&config);
    let url = env::var("BROKER").unwrap_or_else(|_| "redis://127.0.0.1:6379/0".to_owned());
    let broker = Broker::connect(&url).await?;
    let queue = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let rust_queue = queue("RUST_QUEUE", "rust");
    match env::args().nth(1).as_deref() {
        Some("service") => service::run(&config, broker, queue("QUEUE", "celery")).await,
        // If it is told to end, its current work is lost, because messages are acknowledged at
        // once.
        Some("worker") => tokio::select! {
            result = worker::run(broker, &rust_queue) => result,
            () = terminated() => Ok(()),
        },
        _ => {
            eprintln!("usage: celery-demo service|worker");
            process::exit(2)
        }
    }
}
