//! The ID on every line of a logger of the `log` world.
//!
//! Records that `tracing` bridges have it already, see `correlation_core::tag`. For the loggers of the
//! `log` crate there are several doors; take the first that fits.
//!
//! | the logger | write |
//! |---|---|
//! | `env_logger` (feature `kv`) | `Builder::from_default_env().format_key_values(correlation::log::kv).init()` |
//! | `env_logger` with a format function of JSON or text | `.format(correlation::log::tagged(format))` |
//! | fern, simplelog, whatever writes to an [`io::Write`](std::io::Write) | give it [`log_writer(stdout())`](log_writer()) |
//! | fern closures, formats of your own | `{}` with [`Current`] |
//! | `flexi_logger`, `structured-logger`, `logforth`, OpenTelemetry's bridge, any [`Log`](::log::Log) that prints key-value pairs | [`wrap(logger).init(max_level)`](wrap()) |
//! | `log4rs` with a file | the crate `correlation-log4rs` |
//! | any other `Log` | [`wrap(logger).in_message()`](Wrap::in_message) |
//!
//! The keys are those of the tracing writer: `correlation_id`, `trace_id` when a W3C trace context
//! came in, and once a request `upstream_id`. A pair that the record has already stays as it is.
//!
//! A message of several lines has the ID on each of them with a writer and in the message; as a
//! pair it is there once a record, wherever the logger prints pairs.

mod current;
mod env;
mod pairs;
mod wrap;
mod writer;

pub use current::Current;
pub use env::{kv, tagged};
pub use wrap::{Wrap, wrap};
pub use writer::{LogWriter, log_writer};

#[cfg(test)]
mod tests;
