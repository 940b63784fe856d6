//! `logforth`, through its bridge from `log`.

use correlation_core::log::wrap;
use logforth::{append::Stdout, bridge::log::LogBridge};

fn main() {
    let logger = logforth::core::builder().dispatch(|to| to.append(Stdout::default()));
    wrap(LogBridge::new(logger.build())).init(log::LevelFilter::Info);
    loggers::purchase();
}
