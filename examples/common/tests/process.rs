//! What leaves the process: records on standard output, errors and the exit status.
//!
//! Subscribers are global, so each test runs [`service`] in a child process.

use std::env;
use std::process::{Command, Output};

use correlation_core::{CorrelationId, sync_scope};
use serde_json::Value;
use service_common::{Config, answers, logs};

#[test]
fn json_records_of_both_loggers_carry_the_id() {
    let output = run(&[("LOG_FORMAT", "json")]);
    let records: Vec<Value> = lines(&output)
        .map(|line| serde_json::from_str(line).expect("each record is one JSON object"))
        .collect();
    let message = |record: &Value| record["fields"]["message"].as_str().map(str::to_owned);
    for wanted in [
        "tracing line 0",
        "log line 0",
        "tracing line 1",
        "log line 1",
    ] {
        let mut found = records
            .iter()
            .filter(|record| message(record).as_deref() == Some(wanted));
        assert_eq!(found.next().expect(wanted)["correlation_id"], "order-1");
        assert!(found.next().is_none(), "{wanted} came twice");
    }
    let outside = records
        .iter()
        .find(|record| message(record).as_deref() == Some("outside line"));
    assert_eq!(
        outside.expect("a record outside").get("correlation_id"),
        None
    );
}

#[test]
fn text_records_carry_the_id_and_no_colours() {
    let output = run(&[("LOG_FORMAT", "text")]);
    for wanted in ["tracing line 1", "log line 1"] {
        let line = lines(&output)
            .find(|line| line.contains(wanted))
            .expect(wanted);
        assert!(line.ends_with(" correlation_id=order-1"), "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
    let outside = lines(&output).find(|line| line.contains("outside line"));
    assert!(
        !outside
            .expect("a record outside")
            .contains("correlation_id")
    );
}

#[test]
fn the_filter_applies_to_both_loggers() {
    let output = run(&[("RUST_LOG", "error")]);
    assert_eq!(lines(&output).count(), 0, "{output:?}");
}

#[test]
fn an_invalid_value_is_one_line_on_standard_error_and_status_2() {
    let output = run(&[("TRUST", "perhaps")]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(
        stderr,
        "invalid TRUST \"perhaps\": allowed: always, never\n"
    );
}

/// Not a test of its own: what the others run in a child process.
#[test]
fn service() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let config = Config::from_env_or_exit();
    logs::init(&config);
    let id: CorrelationId = "order-1".parse().expect("a valid ID");
    sync_scope(id, || answers::log_lines(2));
    log::info!("outside line");
}

fn run(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env::current_exe().expect("tests know their binary"));
    for name in [
        "LISTEN",
        "DOWNSTREAM",
        "TRUST",
        "TRACE_CONTEXT",
        "LOG_FORMAT",
        "RUST_LOG",
    ] {
        command.env_remove(name);
    }
    command
        .args(["--exact", "service", "--nocapture", "--quiet"])
        .env(CHILD, "1")
        .envs(variables.iter().copied())
        .output()
        .expect("a child process starts")
}

/// The records, without what the test harness says.
fn lines(output: &Output) -> impl Iterator<Item = &str> {
    let text = std::str::from_utf8(&output.stdout).expect("UTF-8");
    text.lines().filter(|line| line.contains(" line"))
}

const CHILD: &str = "SERVICE_COMMON_CHILD";
