//! `fern`: the ID at the end of each line, whatever the format.

use correlation_core::log::log_writer;

fn main() -> Result<(), log::SetLoggerError> {
    let out: Box<dyn std::io::Write + Send> = Box::new(log_writer(std::io::stdout()));
    fern::Dispatch::new()
        .format(|out, message, record| out.finish(format_args!("{} {message}", record.level())))
        .level(log::LevelFilter::Info)
        .chain(out)
        .apply()?;
    loggers::purchase();
    Ok(())
}
