//! What the log says of a call.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use correlation_core::{NewTraces, Policy, TraceContext};

use crate::{received, sent, values};

/// The parent-id of each call is in the log, so that whoever reads it in the receiver's log finds
/// the caller.
#[test]
fn each_call_is_logged_with_its_span_id() {
    for (mode, calls) in [
        (TraceContext::Participate(NewTraces::Unsampled), 3),
        // With the caller's parent-id there is nothing to say.
        (TraceContext::Forward, 0),
        (TraceContext::Off, 0),
    ] {
        let parent = format!("00-{}-00f067aa0ba902b7-01", "ab".repeat(16));
        let context = received(
            &Policy::new().trace_context(mode),
            &[("traceparent", parent.into_bytes())],
        );
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
            .with_writer(move || writer.clone())
            .finish();
        let sent: Vec<_> = tracing::subscriber::with_default(subscriber, || {
            (0..3).map(|_| sent(&context)).collect()
        });
        let logged: Vec<_> = log.records().iter().map(span_id).collect();
        let ids = sent.iter().flat_map(|sent| values(sent, "traceparent"));
        let ids: Vec<_> = ids
            .map(|parent| parent[36..52].to_owned())
            .take(calls)
            .collect();
        assert_eq!(logged, ids, "{mode:?}");
    }
}

fn span_id(record: &serde_json::Value) -> String {
    assert_eq!(record["target"], "correlation");
    record["fields"]["span_id"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn records(&self) -> Vec<serde_json::Value> {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let records = serde_json::Deserializer::from_slice(&written).into_iter();
        records.map(|record| record.expect("JSON")).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
