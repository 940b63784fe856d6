#![no_main]

use correlation_core::{Context, Policy, TraceContext, inject_with, sync_scope};
use libfuzzer_sys::fuzz_target;

// The first line is the `traceparent`, all others are `tracestate` lines.
fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|&byte| byte == b'\n');
    let parent = lines.next().unwrap_or_default();
    let received = || {
        let states = lines.clone().map(|state| ("tracestate", state));
        std::iter::once(("traceparent", parent)).chain(states)
    };
    let once = sent(&context(TraceContext::Forward, received));
    let again = sent(&context(TraceContext::Forward, || {
        once.iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
    }));
    assert_eq!(once, again);

    // Who participates sends the same, but for a parent-id of its own, or begins a trace.
    let mode = TraceContext::Participate { sampled: false };
    let context = context(mode, received);
    let (first, second) = (sent(&context), sent(&context));
    let (parent, other) = (&first[0].1, &second[0].1);
    assert_eq!(parent[..36], other[..36]);
    assert_ne!(parent[36..52], other[36..52]);
    match once.first() {
        Some((_, forwarded)) => {
            assert_eq!(
                (&parent[..36], &parent[52..]),
                (&forwarded[..36], &forwarded[52..])
            );
            assert_eq!(first[1..], once[1..]);
        }
        None => assert_eq!((first.len(), &parent[52..]), (1, "-02")),
    }
});

fn context<'h, H: IntoIterator<Item = (&'h str, &'h [u8])>>(
    mode: TraceContext,
    headers: impl Fn() -> H,
) -> Context {
    let policy = Policy::new().trace_context(mode);
    policy.receive(headers, None).into_context()
}

fn sent(context: &Context) -> Vec<(String, String)> {
    let mut sent = Vec::new();
    sync_scope(context.clone(), || {
        inject_with(|key, value| sent.push((key.to_owned(), value.to_owned())));
    });
    sent.retain(|(key, _)| key.starts_with("trace"));
    sent
}
