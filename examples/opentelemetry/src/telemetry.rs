//! The set-up of the SDK. A real service has an OTLP exporter in place of the one in memory.

use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracer, SdkTracerProvider};

/// Makes the W3C propagator and a tracer the ones of this process, and gives the tracer and where
/// its spans go.
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
