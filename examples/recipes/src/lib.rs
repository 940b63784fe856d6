#![doc = include_str!("../README.md")]

pub mod otel_logs;
pub mod otel_spans;
pub mod problem;
pub mod sentry;
pub mod slog;
