//! What the log says of a call.

use correlation_core::{Policy, TraceContext, sync_scope};

use crate::{Sent, TRACE, accepted, id, logged, sent, values};

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
        // Also where a call is not made in the scope of its context.
        let elsewhere = || {
            let mut sent = Sent::new();
            sync_scope(id("other"), || context.inject(&mut sent));
            sent
        };
        let (sent, log) = logged(|| [sent(&context), sent(&context), elsewhere()]);
        let parents = sent.iter().flat_map(|sent| values(sent, "traceparent"));
        let told = parents.take(calls).map(|parent| {
            let span_id = &parent[36..52];
            let trace_id = &TRACE[3..35];
            format!(
                "DEBUG correlation: outbound call span_id={span_id:?} trace_id={trace_id} \
                 correlation_id={trace_id}"
            )
        });
        let told: Vec<_> = told.collect();
        let lines: Vec<_> = log.lines().collect();
        assert_eq!(lines.len(), calls, "{mode:?}: {log}");
        for (line, told) in lines.iter().zip(&told) {
            assert_eq!(line, told, "{mode:?}");
        }
    }
}
