//! `structured-logger`.

use correlation_core::log::wrap;
use structured_logger::{Builder, get_env_level, json};

fn main() {
    let level = get_env_level();
    let logger = Builder::with_level(level.as_str())
        .with_target_writer("*", json::new_writer(std::io::stdout()))
        .build();
    wrap(logger).init(level);
    loggers::purchase();
}
