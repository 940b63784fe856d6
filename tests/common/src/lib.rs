//! What the services share that tests start.
//!
//! * [`Config`]: the environment variables, and the inbound [`Policy`](correlation_core::Policy)
//!   they ask for;
//! * [`logs`]: one JSON or text record per line on standard output, each with the ID;
//! * [`announce`] and [`terminated`]: the first and the last thing a service does.

mod config;
mod process;

pub mod logs;

pub use config::{Config, InvalidVariable, LogFormat};
pub use process::{announce, terminated};

/// Reads the environment and sets up the log. An invalid value ends the process with one line on
/// standard error and status 2.
pub fn start() -> Config {
    let config = Config::from_env_or_exit();
    logs::init(&config);
    config
}
