//! `cargo run -p grpc`, as a process.

use std::process::Command;

#[test]
fn every_line_of_the_demo_has_the_one_id() {
    let output = Command::new(env!("CARGO_BIN_EXE_grpc"))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
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
