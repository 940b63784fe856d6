//! `fern` with the ID in a separate column.

use correlation_core::log::Current;

fn main() -> Result<(), log::SetLoggerError> {
    fern::Dispatch::new()
        .format(|out, message, record| {
            out.finish(format_args!("{} [{Current:>10}] {message}", record.level()));
        })
        .level(log::LevelFilter::Info)
        .chain(std::io::stdout())
        .apply()?;
    loggers::purchase();
    Ok(())
}
