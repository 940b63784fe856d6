//! `logforth` with a diagnostic, which works for its own macros and those of `log`.

use logforth::append::Stdout;
use logforth::bridge::log::LogBridge;
use logforth::kv::{Key, Value, Visitor};
use logforth::{Diagnostic, Error};

#[derive(Debug)]
struct Correlation;

impl Diagnostic for Correlation {
    fn visit(&self, visitor: &mut dyn Visitor) -> Result<(), Error> {
        correlation_core::current().map_or(Ok(()), |id| {
            let key = Key::new("correlation_id");
            visitor.visit(key.view(), Value::str(id.as_str()).view())
        })
    }
}

fn main() -> Result<(), log::SetLoggerError> {
    let logger = logforth::core::builder()
        .dispatch(|to| to.diagnostic(Correlation).append(Stdout::default()))
        .build();
    log::set_boxed_logger(Box::new(LogBridge::new(logger)))?;
    log::set_max_level(log::LevelFilter::Info);
    loggers::purchase();
    Ok(())
}
