//! Arguments, files, exit status and colours.

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{ID, file, stderr, stdout, trail, trail_with};

#[test]
fn compressed_files_are_read() {
    let orders = fs::read("tests/fixtures/orders.log").unwrap();
    let half = orders.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let members = [gzip(&orders[..half]), gzip(&orders[half..])].concat();
    let path = file("gz/orders.log.3.gz", &members);
    let plain = trail(&[ID, "tests/fixtures/orders.log"]);
    assert_eq!(stdout(&trail(&[ID, &path])), stdout(&plain));
    let piped = trail_with(&[ID, "-"], &members, &[]);
    let unpacked = trail_with(&[ID, "-"], &orders, &[]);
    assert_eq!(stdout(&piped), stdout(&unpacked));
    assert!(stdout(&piped).contains("  stdin  "));

    let cut = file("gz/cut.gz", &members[..members.len() - 9]);
    let output = trail(&[ID, &cut]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with(&format!("trail: cannot read {cut}: ")));
    assert!(
        stdout(&output).contains("order stored"),
        "what was there is told"
    );
}

#[test]
fn patterns_are_expanded() {
    let dated = trail(&[ID, "tests/fixtures/sh*.log"]);
    assert!(stdout(&dated).starts_with("     +0.0 ms  shipping  DEBUG  slot reserved\n"));
    let literal = file("glob/[abc]*.log", b"x abc\n");
    assert_eq!(
        trail(&["abc", &literal]).status.code(),
        Some(0),
        "{literal}"
    );
    for (pattern, error) in [
        (
            "tests/fixtures/*.none",
            "no file matches tests/fixtures/*.none",
        ),
        ("tests/[", "cannot read the pattern tests/[: "),
        ("tests/fixture*", "no file matches tests/fixture*"),
    ] {
        let output = trail(&[ID, pattern]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).starts_with(&format!("trail: {error}")),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn the_exit_status_is_as_of_grep() {
    let nothing = trail(&["nobody", "tests/fixtures/gateway.log"]);
    assert_eq!((nothing.status.code(), stdout(&nothing)), (Some(1), ""));
    for arguments in [&[][..], &["abc"], &["abc", "f", "--jsn"], &["", "f"]] {
        let output = trail(arguments);
        assert_eq!(
            (output.status.code(), stdout(&output)),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(stderr(&output).ends_with("trail: try `trail --help`\n"));
    }
    assert_eq!(trail(&["--help"]).status.code(), Some(0));
    let version = trail(&["--version"]);
    assert_eq!(
        stdout(&version),
        concat!("trail ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn a_missing_file_does_not_silence_the_others() {
    let output = trail(&[ID, "no/such.log", "tests/fixtures/gateway.log"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).starts_with("trail: cannot open no/such.log: "),
        "{}",
        stderr(&output)
    );
    assert_eq!(stderr(&output).lines().count(), 1);
    assert!(stdout(&output).contains("purchase started"));
    let folder = trail(&[ID, "tests"]);
    assert_eq!(folder.status.code(), Some(2));
    assert!(
        stderr(&folder).starts_with("trail: cannot "),
        "{}",
        stderr(&folder)
    );
}

#[test]
fn colours_are_for_terminals() {
    let file = "tests/fixtures/gateway.log";
    let escapes = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = trail_with(arguments, b"", environment);
        stdout(&output).contains('\u{1b}')
    };
    assert!(!escapes(&[ID, file], &[]));
    assert!(!escapes(&["--color=never", ID, file], &[]));
    assert!(escapes(&["--color=always", ID, file], &[]));
    // Who says always on the command line says more than the environment.
    assert!(escapes(
        &["--color", "always", ID, file],
        &[("NO_COLOR", "1")]
    ));
    assert!(!escapes(&["--json", "--color=always", ID, file], &[]));
}

#[test]
fn silences_are_shown_from_the_length_that_was_asked_for() {
    let silences = |arguments: &[&str]| stdout(&trail(arguments)).matches("silence").count();
    let files = "tests/fixtures/*";
    assert_eq!(silences(&[ID, files]), 1);
    assert_eq!(silences(&["--gap=300", ID, files]), 0);
    assert_eq!(silences(&["--gap", "1", ID, files]), 7);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let line = "2026-11-22T14:15:50Z  INFO shop::x: a line abc\n";
    let path = file("pipe/long.log", line.repeat(20_000).as_bytes());
    let mut child = Command::new(env!("CARGO_BIN_EXE_trail"))
        .args(["abc", &path])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 10]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
