//! The ID as an attribute of every `OpenTelemetry` log record.

use std::time::Duration;

use correlation_core::current;
use opentelemetry::logs::LogRecord;
use opentelemetry::{InstrumentationScope, Key};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};

/// Install it before the exporter, because processors run in the order in which they were added.
#[derive(Debug)]
pub struct CorrelationLogProcessor;

const KEY: Key = Key::from_static_str("correlation_id");

impl LogProcessor for CorrelationLogProcessor {
    // It is called where the record is made. So the ID is the one of the request, whatever thread
    // exports.
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        if let Some(id) = current()
            && !record.attributes_iter().any(|(key, _)| *key == KEY)
        {
            record.add_attribute(KEY, String::from(id));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    // The default method logs that it does nothing.
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
