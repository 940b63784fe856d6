//! `cargo run -p grpc`, as a process.

use std::process::Command;

use correlation_testkit::process::run;

#[test]
fn every_line_of_the_demo_has_the_one_id() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_grpc"));
    let text = run(demo.env("NO_COLOR", "1")).unwrap();
    let (log, summary) = text.trim_end().rsplit_once("\n\n").unwrap();
    let id = summary.rsplit_once(' ').unwrap().1;
    assert_eq!(id.len(), 36, "{summary}");

    let tag = format!(" correlation_id={id}");
    let untagged: Vec<_> = log.lines().filter(|line| !line.ends_with(&tag)).collect();
    assert!(untagged.is_empty(), "{untagged:?}");
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(lines(" grpc::orders: an order came in"), 1);
    assert_eq!(lines(" grpc::orders: told the customer"), 3);
    assert_eq!(lines(" grpc::orders: all orders came in"), 1);
    assert_eq!(lines(" grpc::orders: sold"), 7);
    assert_eq!(lines(" grpc::stock: reserved"), 7);
    assert_eq!(lines(" grpc: got a receipt"), 3);
}
