//! Each recipe with the real library, and what it would be without it.

mod otel_logs;
mod otel_spans;
mod sentry;
mod slog;

use correlation_core::CorrelationId;

fn id() -> CorrelationId {
    "click-7".parse().unwrap()
}
