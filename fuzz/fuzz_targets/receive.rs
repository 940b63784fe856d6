#![no_main]

use correlation_core::{CorrelationId, Origin, Policy, Source};
use correlation_testkit::every_source;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 8] = [
    "x-correlation-id",
    "X-Request-ID",
    "traceparent",
    "tracestate",
    "b3",
    "x-b3-traceid",
    "x-amzn-trace-id",
    "request-id",
];

// Lines of the input are header lines: the first byte chooses the name.
fuzz_target!(|data: &[u8]| {
    let lines = || {
        data.split(|&byte| byte == b'\n').filter_map(|line| {
            let (&name, value) = line.split_first()?;
            Some((NAMES[usize::from(name) % NAMES.len()], value))
        })
    };
    let sentry = Source::parsed("sentry-trace", |value| value.split('-').next());
    let policy = Policy::new().sources(every_source().into_iter().chain([sentry]));
    let context = policy.receive(lines, None).into_context();
    let id = context.id().as_str();
    assert!(id.len() <= 128 && id.parse::<CorrelationId>().is_ok());
    if context.origin() != Origin::Generated {
        let mut values = lines().map(|(_, value)| value);
        assert!(values.any(|value| value.windows(id.len()).any(|part| part == id.as_bytes())));
    }
});
