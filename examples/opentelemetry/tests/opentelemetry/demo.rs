//! `cargo run -p opentelemetry-demo`, as a process.

use std::process::Command;

use correlation_testkit::process::run;

#[test]
fn every_line_of_the_demo_has_both_ids() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_opentelemetry-demo"));
    let text = run(demo.env("NO_COLOR", "1").env_remove("RUST_LOG")).unwrap();
    let log: Vec<_> = text
        .lines()
        .filter(|line| line.contains(" INFO "))
        .collect();
    // An order, the stock that it asks and the receipt, both ways.
    assert_eq!(log.len(), 6, "{text}");
    let pairs: Vec<_> = log
        .iter()
        .map(|line| {
            let (line, trace_id) = line.rsplit_once(" trace_id=").unwrap();
            let (_, id) = line.rsplit_once(" correlation_id=").unwrap();
            (id, trace_id)
        })
        .collect();
    assert!(
        pairs[..3]
            .iter()
            .all(|pair| *pair == pairs[0] && pair.0 == pair.1)
    );
    assert!(
        pairs[3..]
            .iter()
            .all(|pair| *pair == pairs[3] && pair.0.len() == 36)
    );
    // Of each trace: two requests and the call between them.
    for (_, trace_id) in [pairs[0], pairs[3]] {
        let spans = text
            .lines()
            .filter(|line| line.starts_with("span ") && line.ends_with(trace_id));
        assert_eq!(spans.count(), 3, "{text}");
    }
}
