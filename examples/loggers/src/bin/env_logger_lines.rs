//! `env_logger` through a writer: the ID on every line of a message, not only on its last.

use correlation_core::log::log_writer;
use env_logger::{Builder, Target};

fn main() {
    Builder::from_default_env()
        .target(Target::Pipe(Box::new(log_writer(std::io::stderr()))))
        .init();
    loggers::purchase();
}
