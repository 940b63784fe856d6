use correlation_core::{bind, sync_scope};
use opentelemetry::logs::AnyValue;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{InMemoryLogExporter, LogProcessor, SdkLoggerProvider};
use recipes::otel_logs::CorrelationLogProcessor;
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use crate::id;

fn exported(provider: &SdkLoggerProvider, exporter: &InMemoryLogExporter) -> Vec<Vec<String>> {
    provider.force_flush().unwrap();
    let records = exporter.get_emitted_logs().unwrap();
    records
        .into_iter()
        .map(|log| {
            let attributes = log.record.attributes_iter();
            let ids = attributes.filter(|(key, _)| key.as_str() == "correlation_id");
            ids.map(|(_, value)| match value {
                AnyValue::String(value) => value.to_string(),
                other => panic!("{other:?} is no string"),
            })
            .collect()
        })
        .collect()
}

/// Four events: outside, inside, in a thread, with an attribute of its own.
fn log_with(provider: &SdkLoggerProvider) {
    let bridge = OpenTelemetryTracingBridge::new(provider);
    let dispatch = Dispatch::new(Registry::default().with(bridge));
    let log = |message: &str| with_default(&dispatch, || tracing::info!("{message}"));
    log("outside");
    sync_scope(id(), || {
        log("inside");
        std::thread::scope(|scope| scope.spawn(bind(|| log("in a thread"))).join().unwrap());
        with_default(&dispatch, || tracing::info!(correlation_id = "own", "paid"));
    });
}

#[test]
fn before_the_exporter_every_record_has_it() {
    // Of the exporters that wait for a batch and those that do not, the former is what runs
    // elsewhere: in a thread with no ID.
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder()
        .with_log_processor(CorrelationLogProcessor)
        .with_batch_exporter(exporter.clone())
        .build();
    log_with(&provider);
    assert_eq!(
        exported(&provider, &exporter),
        [vec![], vec!["click-7"], vec!["click-7"], vec!["own"]]
    );
}

#[test]
fn after_the_exporter_it_comes_too_late() {
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder()
        .with_batch_exporter(exporter.clone())
        .with_log_processor(CorrelationLogProcessor)
        .build();
    log_with(&provider);
    assert_eq!(
        exported(&provider, &exporter),
        [vec![], vec![], vec![], vec!["own"]]
    );
}

#[test]
fn it_has_nothing_to_flush_and_nothing_to_close() {
    CorrelationLogProcessor.force_flush().unwrap();
    CorrelationLogProcessor.shutdown().unwrap();
}
