#![no_main]

use correlation_core::{CorrelationId, Parser, Policy, Source};
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
    let policy = Policy::new().parsers([
        Parser::B3,
        Parser::XAmznTraceId,
        Parser::XCloudTraceContext,
        Parser::RequestId,
    ]);
    let context = policy.receive(lines, None).expect("nothing is rejected");
    let id = context.id().as_str();
    assert!(id.len() <= 128 && id.parse::<CorrelationId>().is_ok());
    if context.source() != Source::Generated {
        let mut values = lines().map(|(_, value)| value);
        assert!(values.any(|value| value.windows(id.len()).any(|part| part == id.as_bytes())));
    }
});
