//! Runs each example and compares what it prints, to the byte, with `printed/<example>.txt`:
//! standard output and then standard error.
//!
//! Numbers of two digits and more, which are times, threads and lines of code, read `#` there.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use correlation_testkit::json::unique_members;
use correlation_testkit::process;
use serde_json::Value;

macro_rules! examples {
    ($($name:ident)+) => {$(
        #[test]
        fn $name() {
            let printed = run(env!(concat!("CARGO_BIN_EXE_", stringify!($name)))).concat();
            let printed = without_numbers(&printed);
            let expected = include_str!(concat!("printed/", stringify!($name), ".txt"));
            assert_eq!(printed, expected, "{printed}");
        }
    )+};
}

examples! {
    env_logger env_logger_json env_logger_lines fern fern_column flexi_logger logforth
    logforth_diagnostic simplelog stderrlog structured_logger
}

#[test]
fn json_has_each_key_once_and_the_id_on_top() {
    for example in [
        env!("CARGO_BIN_EXE_env_logger_json"),
        env!("CARGO_BIN_EXE_structured_logger"),
    ] {
        let printed = run(example).concat();
        let records: Vec<_> = printed.lines().map(members).collect();
        let of = |key: &str| -> Vec<_> {
            let values = records.iter().map(|record| record.get(key));
            values
                .map(|value| value.map_or("-", |value| value.as_str().unwrap()))
                .collect()
        };
        assert_eq!(
            of("message"),
            [
                "before",
                "order placed",
                "mail sent",
                "unbound",
                "paid",
                "named",
                "two\nlines",
                "caller's ID is not trusted untrusted_id=\"theirs\"",
                "first",
                "second",
                "after"
            ]
        );
        let [one, two] = ["click-1", "click-2"];
        assert_eq!(
            of("correlation_id"),
            ["-", one, one, "-", one, one, one, two, two, two, "-"]
        );
    }
}

#[test]
fn log4rs() {
    let [text, json] = run(env!("CARGO_BIN_EXE_log4rs"));
    assert_eq!(without_numbers(&text), include_str!("printed/log4rs.txt"));

    // The MDC is a hash map, so its order is not that of the last time.
    let records: Vec<_> = json.lines().map(members).collect();
    let of = |key: &str| -> Vec<_> {
        let values = records.iter().map(|record| &record["mdc"][key]);
        values.map(|value| value.as_str().unwrap_or("-")).collect()
    };
    let [one, two] = ["click-1", "click-2"];
    assert_eq!(
        of("correlation_id"),
        ["-", one, one, "-", one, one, one, two, two, two, "-"]
    );
}

/// Standard output and standard error of an example.
fn run(example: &str) -> [String; 2] {
    let mut command = Command::new(example);
    command.env_remove("LOG_LEVEL").env("RUST_LOG", "info");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = process::ended(command.spawn().unwrap()).unwrap();
    assert!(output.status.success(), "{output:?}");
    [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
}

fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let number = &rest[start..];
        let is_part = |c: char| c.is_ascii_digit() || "-+:.TZ".contains(c);
        let end = number.find(|c| !is_part(c)).unwrap_or(number.len());
        out += &rest[..start];
        out += if end > 1 { "#" } else { &number[..end] };
        rest = &number[end..];
    }
    out + rest
}

/// The members of a JSON object, each key once.
fn members(line: &str) -> BTreeMap<String, Value> {
    unique_members(line).into_iter().collect()
}
