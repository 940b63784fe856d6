//! What is told of a log.

use std::fs;

use super::{ID, file, stderr, stdout, trail, trail_with};

#[test]
fn all_formats_are_one_story() {
    let readme = include_str!("../../README.md");
    let (_, story) = readme.split_once("fixtures/*'\n").unwrap();
    let (story, _) = story.split_once("```").unwrap();
    let output = trail(&[ID, "tests/fixtures/*"]);
    assert_eq!(stdout(&output), story);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
    let named: Vec<_> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    let mut arguments: Vec<_> = named.iter().map(String::as_str).collect();
    arguments.sort_unstable();
    // A file that is named twice is told once.
    let arguments = [&[ID], arguments.as_slice(), &arguments[..1]].concat();
    assert_eq!(stdout(&trail(&arguments)), story);
}

#[test]
fn json_is_an_object_a_line() {
    let output = trail(&["--json", ID, "tests/fixtures/orders.log"]);
    let lines: Vec<_> = stdout(&output).lines().collect();
    assert_eq!(
        lines[1],
        r#"{"time":"2026-11-22T14:15:50.230100000Z","estimated":false,"coarse":false,"since_ms":229.2,"service":"orders","level":"ERROR","target":"shop::orders","message":"payment failed: no funds","fields":{"error":"Declined { code: 5 }"},"continuation":["stack backtrace:","   0: shop::pay","             at src/pay.rs:7"],"file":"tests/fixtures/orders.log","line":3}"#
    );
    assert_eq!(lines.len(), 2);
    let twice = trail_with(&["--json", "abc", "-"], br#"{"a":"abc","k":1,"k":2}"#, &[]);
    assert!(
        stdout(&twice).contains(r#""fields":{"a":"abc","k":"1"}"#),
        "{}",
        stdout(&twice)
    );
}

#[test]
fn the_ids_of_others_are_shown() {
    let log = b"\
        2026-11-22T14:15:50.1Z  INFO stdin: its own correlation_id=abc\n\
        2026-11-22T14:15:50.1Z  INFO stdin: of another caused_by=abc correlation_id=other\n\
        2026-11-22T14:15:50.1Z  INFO stdin: of a stranger untrusted_id=\"abc\" correlation_id=other\n\
        2026-11-22T14:15:50.1Z  INFO stdin: a word (abc)\n";
    assert_eq!(
        told(log),
        [
            "     +0.0 ms  stdin  INFO   its own",
            "     +0.0 ms  stdin  INFO   of another caused_by=abc correlation_id=other",
            "     +0.0 ms  stdin  INFO   a word (abc)",
        ]
    );
}

#[test]
fn records_of_one_time_stay_in_order() {
    let line = |n| format!("2026-11-22T14:15:50Z  INFO shop::x: {n} correlation_id=abc\n");
    let log = |from: u32| (from..from + 50).map(line).collect::<String>();
    let first = file("order/z.log", log(0).as_bytes());
    let second = file("order/a.log", log(50).as_bytes());
    let output = trail(&["--json", "abc", &first, &second]);
    let messages: Vec<u32> = stdout(&output)
        .split(r#""message":""#)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(messages, Vec::from_iter(0..100));
}

#[test]
fn junk_is_survived() {
    let mut log = b"\0\xff\xfeabc \x1b[31m\x80 junk\n\n\r\n{\"abc\n[abc\nts=abc\n".to_vec();
    log.extend((0..=255).cycle().take(700_000));
    log.extend(b"\n2026-11-22T14:15:50Z  INFO stdin: \x1b]0;evil\x07 abc\n");
    let lines = told(&log);
    assert!(
        lines.last().unwrap().ends_with("]0;evil\u{fffd} abc"),
        "{lines:?}"
    );
    assert_eq!(
        trail(&["abc", &file("junk/empty.log", b"")]).status.code(),
        Some(1)
    );
    assert_eq!(trail_with(&["abc", "-"], b"", &[]).status.code(), Some(1));
}

#[test]
fn a_line_may_be_longer_than_anybody_reads() {
    let mut log = b"2026-11-22T14:15:50Z  INFO stdin: abc ".to_vec();
    log.resize(3 << 20, b'(');
    log.extend(b"\n2026-11-22T14:15:51Z  INFO stdin: end abc\n");
    let lines = told(&log);
    assert!(lines.iter().all(|line| line.len() < 40_000));
    assert!(lines.last().unwrap().ends_with("end abc"));
}

/// What `trail abc -` prints of a log, without the summary.
fn told(log: &[u8]) -> Vec<String> {
    let output = trail_with(&["abc", "-"], log, &[]);
    assert_eq!(stderr(&output), "");
    let mut lines: Vec<_> = stdout(&output).lines().map(str::to_owned).collect();
    lines.pop();
    lines
}
