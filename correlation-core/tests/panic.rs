//! The panic hook, which is one for the whole process: so each test is a process of its own.
#![cfg(feature = "tracing")]

use std::io::Write;
use std::panic::catch_unwind;
use std::process::Command;
use std::sync::{Arc, Mutex};

use correlation_core::{CorrelationId, panic, sync_scope, tag};

/// Runs `child`, a test of this file that does nothing by itself, and gives what it printed.
fn output_of(child: &str, backtrace: &str) -> (Vec<String>, Vec<String>) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child, "--nocapture", "--test-threads=1"])
        .env("PANIC_CHILD", "1")
        .env("RUST_BACKTRACE", backtrace)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = |bytes| {
        String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    };
    (lines(output.stdout), lines(output.stderr))
}

fn is_child() -> bool {
    std::env::var_os("PANIC_CHILD").is_some()
}

fn panic_in_scope() {
    let id: CorrelationId = "click-1".parse().unwrap();
    let _ = catch_unwind(|| sync_scope(id, || panic!("out of stock\nof everything")));
}

#[test]
fn without_a_subscriber_every_line_of_standard_error_has_the_id() {
    for backtrace in ["0", "1"] {
        let (_, lines) = output_of("child_without_subscriber", backtrace);
        assert!(lines[0].contains("panicked at"), "{lines:?}");
        assert_eq!(lines[1], "out of stock correlation_id=click-1");
        assert!(
            lines
                .iter()
                .all(|line| line.ends_with(" correlation_id=click-1")),
            "{lines:?}"
        );
        assert_eq!(lines.len() > 3, backtrace == "1", "{lines:?}");
        let reports = lines.iter().filter(|line| line.contains("panicked at"));
        assert_eq!(
            reports.count(),
            1,
            "Rust's own report is not printed as well"
        );
    }
}

#[test]
fn child_without_subscriber() {
    if is_child() {
        panic::install();
        panic_in_scope();
    }
}

#[test]
fn outside_of_a_scope_the_report_is_as_it_was() {
    let (_, lines) = output_of("child_outside_of_a_scope", "0");
    assert!(
        lines[0].contains("panicked at") && lines[1] == "boom",
        "{lines:?}"
    );
    assert!(!lines.concat().contains("correlation_id"));
}

#[test]
fn child_outside_of_a_scope() {
    if is_child() {
        panic::install();
        let _ = catch_unwind(|| panic!("boom"));
    }
}

#[test]
fn a_hook_that_was_there_runs_once_for_each_panic() {
    let (_, lines) = output_of("child_with_a_hook", "0");
    let hooks = lines.iter().filter(|line| line.starts_with("hook: "));
    assert_eq!(
        hooks.collect::<Vec<_>>(),
        ["hook: click-1", "hook: click-1"]
    );
}

#[test]
fn child_with_a_hook() {
    if is_child() {
        // Without captures, as Rust's own: it must not be taken for that.
        std::panic::set_hook(Box::new(|_| {
            eprintln!("hook: {}", correlation_core::current().unwrap());
        }));
        panic::install();
        panic_in_scope();
        panic_in_scope();
    }
}

#[test]
fn a_subscriber_gets_the_report_as_one_event() {
    let (_, lines) = output_of("child_with_subscriber", "0");
    assert_eq!(lines, [""; 0], "nothing else is printed");
}

#[test]
fn child_with_subscriber() {
    if !is_child() {
        return;
    }
    let (text, json) = (Sink::default(), Sink::default());
    panic::install();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(tag(text.clone()));
    tracing::subscriber::with_default(subscriber.finish(), panic_in_scope);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(tag(json.clone()));
    tracing::subscriber::with_default(subscriber.finish(), panic_in_scope);

    let text = text.text();
    assert!(
        text.lines().count() >= 3 && text.contains("ERROR panic: thread"),
        "{text}"
    );
    assert!(
        text.lines()
            .all(|line| line.ends_with(" correlation_id=click-1")),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&json.text()).unwrap();
    assert_eq!(json["correlation_id"], "click-1");
    let message = json["fields"]["message"].as_str().unwrap();
    assert!(message.contains("out of stock\nof everything"), "{message}");
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
