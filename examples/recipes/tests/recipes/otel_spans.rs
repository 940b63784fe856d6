use correlation_core::sync_scope;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use recipes::otel_spans::CorrelationSpanProcessor;

use crate::id;

#[test]
fn every_span_that_starts_in_a_request_has_it_whatever_the_order() {
    for first in [true, false] {
        let exporter = InMemorySpanExporter::default();
        let mut provider = SdkTracerProvider::builder();
        if first {
            provider = provider.with_span_processor(CorrelationSpanProcessor);
        }
        provider = provider.with_batch_exporter(exporter.clone());
        if !first {
            provider = provider.with_span_processor(CorrelationSpanProcessor);
        }
        let provider = provider.build();
        let tracer = provider.tracer("shop");

        tracer.start("outside").end();
        let mut late = sync_scope(id(), || {
            tracer.in_span("request", |_| tracer.start("query").end());
            tracer.start("ends elsewhere")
        });
        late.end();
        provider.force_flush().unwrap();

        let spans = exporter.get_finished_spans().unwrap();
        let ids: Vec<_> = spans
            .iter()
            .map(|span| {
                let attributes = span.attributes.iter();
                let mut ids = attributes.filter(|pair| pair.key.as_str() == "correlation_id");
                let id = ids.next().map(|pair| pair.value.as_str().into_owned());
                assert!(ids.next().is_none(), "{span:?}");
                (span.name.as_ref(), id)
            })
            .collect();
        let id = || Some("click-7".to_owned());
        assert_eq!(
            ids,
            [
                ("outside", None),
                ("query", id()),
                ("request", id()),
                ("ends elsewhere", id())
            ]
        );
    }
}
