//! `stderrlog`, which prints no pairs. So the ID goes into the message.

use correlation_core::log::wrap;
use log::LevelFilter;

fn main() {
    let mut logger = stderrlog::new();
    logger.verbosity(LevelFilter::Info);
    wrap(logger).in_message().init(LevelFilter::Info);
    loggers::purchase();
}
