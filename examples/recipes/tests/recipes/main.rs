//! Each recipe with the real library, and what it would be without it.

mod otel_logs;
mod otel_spans;
mod problem;
mod sentry;
mod slog;

use correlation_core::CorrelationId;

fn id() -> CorrelationId {
    correlation_testkit::id("click-7")
}
