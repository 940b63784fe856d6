//! The ID as an attribute of every `OpenTelemetry` span.

use std::time::Duration;

use correlation_core::current;
use opentelemetry::trace::Span as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// Install it beside the exporter, in any order, because it has finished before the span ends.
#[derive(Debug)]
pub struct CorrelationSpanProcessor;

impl SpanProcessor for CorrelationSpanProcessor {
    // A span starts in its request, but may end anywhere.
    fn on_start(&self, span: &mut Span, _: &Context) {
        if let Some(id) = current() {
            span.set_attribute(KeyValue::new("correlation_id", String::from(id)));
        }
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
