//! What the log says of a call.

use correlation_core::{Policy, TraceContext};

use crate::{TRACE, accepted, logged, sent, values};

/// The parent-id of each call is in the log, so that whoever reads it in the receiver's log finds
/// the caller.
#[test]
fn each_call_is_logged_with_its_span_id() {
    for (mode, calls) in [
        (TraceContext::Participate { sampled: false }, 3),
        // With the caller's parent-id there is nothing to say.
        (TraceContext::Forward, 0),
        (TraceContext::Off, 0),
    ] {
        let policy = Policy::new().trace_context(mode);
        let context = accepted(&policy, &[("traceparent", TRACE)]);
        let (sent, log) = logged(|| [(); 3].map(|()| sent(&context)));
        let parents = sent.iter().flat_map(|sent| values(sent, "traceparent"));
        let told = parents.take(calls).map(|parent| {
            let span_id = &parent[36..52];
            format!("DEBUG correlation: outbound call span_id={span_id:?}")
        });
        let told: Vec<_> = told.collect();
        let lines: Vec<_> = log.lines().collect();
        assert_eq!(lines.len(), calls, "{mode:?}: {log}");
        for (line, told) in lines.iter().zip(&told) {
            assert!(line.starts_with(told), "{mode:?}: {line}");
        }
    }
}
