//! Two ways for the correlation ID to live with a trace-id. Both leave `traceparent` to the SDK.

use correlation_axum::correlation::{CorrelationId, Generator, Policy, Source, TraceContext};
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, TraceId};

/// The correlation ID **is** the trace-id of the SDK, always: whoever sent or made it.
///
/// The headers of the caller are not read here at all, since the SDK has read them: so there is
/// one opinion on them. The span of the request has to be entered when the ID is asked for:
/// [`is_trace_id`](crate::service::is_trace_id) shows the order of the layers.
pub fn is_trace_id() -> Policy {
    Policy::new()
        .sources([])
        .generator(Generator::custom(trace_id_or_new))
        .trace_context(TraceContext::Off)
}

/// The correlation ID stands **beside** the trace-id: taken from its own headers, or a new UUID.
pub fn beside_trace_id() -> Policy {
    Policy::new()
        .sources(["X-Correlation-ID", "X-Request-ID"].map(Source::header))
        .trace_context(TraceContext::Off)
}

/// The trace-id of the span that this code runs in, sampled or not.
pub fn trace_id() -> Option<TraceId> {
    Context::map_current(|context| {
        let id = context.span().span_context().trace_id();
        (id != TraceId::INVALID).then_some(id)
    })
}

/// Without a span, as when a filter has switched it off, an ID of the same form.
fn trace_id_or_new() -> CorrelationId {
    let id = trace_id().and_then(|id| id.to_string().parse().ok());
    id.unwrap_or_else(|| Generator::hex().generate())
}
