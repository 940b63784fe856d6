//! Two ways to combine the correlation ID with a trace-id. Both leave `traceparent` to the SDK.

use correlation_axum::correlation::{CorrelationId, Generator, Policy, Source, TraceContext};
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, TraceId};

/// The correlation ID always **is** the trace-id of the SDK, whoever sent or made it.
///
/// This policy does not read the headers of the caller, because the SDK has already read them. So
/// only one component interprets them. The span of the request has to be entered before the ID is
/// made. [`is_trace_id`](crate::service::is_trace_id) shows the order of the layers.
pub fn is_trace_id() -> Policy {
    Policy::new()
        .sources([])
        .generator(Generator::custom(trace_id_or_new))
        .trace_context(TraceContext::Off)
}

/// The correlation ID stands **beside** the trace-id. It comes from its own headers, or is a new
/// UUID.
pub fn beside_trace_id() -> Policy {
    Policy::new()
        .sources(["X-Correlation-ID", "X-Request-ID"].map(Source::header))
        .trace_context(TraceContext::Off)
}

/// Returns the trace-id of the current span, sampled or not.
pub fn trace_id() -> Option<TraceId> {
    Context::map_current(|context| {
        let id = context.span().span_context().trace_id();
        (id != TraceId::INVALID).then_some(id)
    })
}

/// Returns an ID of the same form if there is no span, for example because a filter switched it
/// off.
fn trace_id_or_new() -> CorrelationId {
    let id = trace_id().and_then(|id| id.to_string().parse().ok());
    id.unwrap_or_else(|| Generator::hex().generate())
}
