#![no_main]

use correlation_core::{Policy, inject_with, sync_scope};
use libfuzzer_sys::fuzz_target;

// The first line is the `traceparent`, all others are `tracestate` lines.
fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|&byte| byte == b'\n');
    let parent = lines.next().unwrap_or_default();
    let received = || {
        let states = lines.clone().map(|state| ("tracestate", state));
        std::iter::once(("traceparent", parent)).chain(states)
    };
    let once = forwarded(received);
    let again = forwarded(|| {
        once.iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
    });
    assert_eq!(once, again);
});

fn forwarded<'h, H: IntoIterator<Item = (&'h str, &'h [u8])>>(
    headers: impl Fn() -> H,
) -> Vec<(String, String)> {
    let context = Policy::new()
        .receive(headers, None)
        .expect("nothing is rejected");
    let mut sent = Vec::new();
    sync_scope(context, || {
        inject_with(|key, value| sent.push((key.to_owned(), value.to_owned())))
    });
    sent.retain(|(key, _)| key.starts_with("trace"));
    sent
}
