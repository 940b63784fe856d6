//! The set-up of the SDK. A real service has an OTLP exporter instead of the one in memory.

use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider};

/// Installs the W3C propagator and a tracer for this process. Returns the tracer and the exporter
/// of its spans.
pub fn install() -> (SdkTracer, InMemorySpanExporter) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = provider.tracer("opentelemetry-demo");
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(provider);
    (tracer, exporter)
}
