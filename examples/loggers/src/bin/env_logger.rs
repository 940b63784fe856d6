//! `env_logger`, with its feature `kv`.

fn main() {
    env_logger::Builder::from_default_env()
        .format_key_values(correlation_core::log::kv)
        .init();
    loggers::purchase();
}
