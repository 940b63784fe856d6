//! `simplelog`.

use correlation_core::log::log_writer;
use log::LevelFilter;
use simplelog::{Config, WriteLogger};

fn main() -> Result<(), log::SetLoggerError> {
    let out = log_writer(std::io::stdout());
    WriteLogger::init(LevelFilter::Info, Config::default(), out)?;
    loggers::purchase();
    Ok(())
}
