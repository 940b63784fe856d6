//! Log records: one line each on standard output, every one with the ID of its request. Reports of
//! panics go to standard error, in the same form.

use std::env;
use std::io::{self, IsTerminal};

use correlation_core::{panic, tag};
use tracing_subscriber::EnvFilter;

use crate::{Config, LogFormat};

/// Installs the panic hook, and the subscriber for `tracing` and, through it, for the `log` crate.
///
/// # Panics
///
/// If a subscriber or a logger is installed already.
pub fn init(config: &Config) {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.filter))
        .with_ansi(colours())
        // The only line about correlation: whatever is written, the writer adds the ID to it.
        .with_writer(tag(io::stdout));
    match config.log_format {
        LogFormat::Json => {
            panic::install_json();
            subscriber.json().init();
        }
        LogFormat::Text => {
            panic::install();
            subscriber.init();
        }
    }
}

/// A file or a pipe must not fill with escape codes.
fn colours() -> bool {
    io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
