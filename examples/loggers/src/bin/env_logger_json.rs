//! `env_logger` with a format function. This small one stands for `ecs_logger::format`.

use std::io::{self, Write};

fn main() {
    env_logger::Builder::from_default_env()
        .format(correlation_core::log::tagged(format))
        .init();
    loggers::purchase();
}

fn format(out: &mut impl Write, record: &log::Record<'_>) -> io::Result<()> {
    let message = record.args().to_string();
    let line = serde_json::json!({ "log.level": record.level().as_str(), "message": message });
    writeln!(out, "{line}")
}
