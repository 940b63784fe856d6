use correlation_core::{Context, Policy, TraceContext, TraceId};
use correlation_testkit::vectors::{is_traceparent, is_tracestate};

use crate::{Pairs, lines, model, sent};

/// The first line is a `traceparent`, all others are lines of its `tracestate`: what goes out is
/// valid, and is read back to itself.
pub fn trace_context(data: &[u8]) {
    let mut lines = lines(data);
    let parent = lines.next().unwrap_or_default();
    let received = || {
        let states = lines.clone().map(|state| ("tracestate", state));
        std::iter::once(("traceparent", parent)).chain(states)
    };
    let forward = context(TraceContext::Forward, received);
    let (expected, taken) = (model::trace_id(&[parent]), forward.trace_id());
    assert_eq!(taken.as_ref().map(TraceId::as_str), expected);

    let once = sent_trace(&forward);
    match &once[..] {
        [] => assert_eq!(expected, None),
        [(_, parent), state @ ..] => {
            assert!(is_traceparent(parent), "{once:?}");
            assert!(
                state.len() <= 1 && state.iter().all(|(_, s)| is_tracestate(s)),
                "{once:?}"
            );
        }
    }
    let again = context(TraceContext::Forward, || {
        once.iter().map(|(k, v)| (&**k, v.as_bytes()))
    });
    assert_eq!(once, sent_trace(&again));
    assert_eq!(sent_trace(&context(TraceContext::Off, received)), []);

    // Who participates sends the same, but for a parent-id of its own, or begins a trace.
    let mode = TraceContext::Participate { sampled: false };
    let context = context(mode, received);
    let (first, second) = (sent_trace(&context), sent_trace(&context));
    let (parent, other) = (&first[0].1, &second[0].1);
    assert!(is_traceparent(parent) && is_traceparent(other));
    assert_eq!(parent[..36], other[..36]);
    assert_ne!(parent[36..52], other[36..52]);
    match once.first() {
        Some((_, forwarded)) => {
            let same = |text: &str| [text[..36].to_owned(), text[52..].to_owned()];
            assert_eq!(same(parent), same(forwarded));
            assert_eq!(first[1..], once[1..]);
        }
        None => assert_eq!((first.len(), &parent[52..]), (1, "-02")),
    }
}

fn context<'h, H: IntoIterator<Item = (&'h str, &'h [u8])>>(
    mode: TraceContext,
    headers: impl Fn() -> H,
) -> Context {
    let policy = Policy::new().trace_context(mode);
    policy.receive(headers, None).into_context()
}

fn sent_trace(context: &Context) -> Pairs {
    let mut sent = sent(context);
    sent.retain(|(key, _)| key.starts_with("trace"));
    sent
}
