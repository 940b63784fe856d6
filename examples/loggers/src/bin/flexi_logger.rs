//! `flexi_logger`, with its feature `kv`.

use correlation_core::log::wrap;
use flexi_logger::Logger;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (logger, handle) = Logger::try_with_env_or_str("info")?
        .log_to_stdout()
        .build()?;
    wrap(logger).init(handle.current_max_level()?);
    loggers::purchase();
    Ok(())
}
