//! `cargo run -p graphql-demo`, as a process.

use std::process::Command;

use correlation_testkit::process;

#[test]
fn every_line_of_the_demo_has_both_ids() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_graphql-demo"));
    demo.env("NO_COLOR", "1");
    let text = process::run(&mut demo).unwrap();
    let lines = |words: &[&str]| {
        let all = text.lines();
        all.filter(|line| words.iter().all(|word| line.contains(word)))
            .count()
    };
    let operation = "operation{connection_id=\"tab-1\"}";
    assert_eq!(lines(&["connected", " correlation_id=tab-1"]), 1);
    assert_eq!(
        lines(&[operation, "countdown", " correlation_id=click-1"]),
        5
    );
    assert_eq!(
        lines(&[operation, "countdown", " correlation_id=click-2"]),
        5
    );
    assert_eq!(lines(&[operation, "whoAmI", " correlation_id=tab-1"]), 1);
    assert_eq!(lines(&[]), 12);
}
