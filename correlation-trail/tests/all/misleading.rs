//! Logs that want to stop the reader or to mislead it.
//!
//! No clock is read. Where work could grow with the square of the input, the input is so large that
//! the process would be killed as one that hangs (`correlation_testkit::process::ended`).

use std::collections::BTreeSet;

use super::{stderr, stdout, trail_with};

const TIME: &str = "2026-11-22T14:15:50.1Z";

#[test]
fn one_line_of_fifteen_megabytes() {
    let long = "a".repeat(15 << 20);
    for id in ["abc", "aaaaaaaa"] {
        let last = format!("{TIME}  INFO shop: end correlation_id={id}");
        let told = told(id, &format!("{long}\n{last}\n"));
        assert_eq!(messages(&told), ["end"], "{id}");
        let told = told_of(id, format!("{TIME} {id} {long}\n{last}\n").as_bytes());
        assert_eq!(told.len(), 2, "{id}");
        assert!(told[0].len() < 1 << 20, "{id}: shown in part");
    }
}

#[test]
fn a_line_is_cut_after_sixteen_megabytes() {
    for (size, is_whole) in [(15, true), (17, false)] {
        let line = format!("abc {} abc\n", " ".repeat(size << 20));
        let told = told("abc", &line).join("\n");
        let is_one = told.contains(r#""continuation":[],"#);
        assert_eq!(is_one, is_whole, "{size} MiB");
    }
}

#[test]
fn twenty_thousand_hits_without_a_time() {
    let line = |n| format!("{n:06} abc {}\n", "a line without a time ".repeat(4));
    let log: String = (0..20_000).map(line).collect();
    let told = told("abc", &log);
    let all = told.join("\n");
    let numbers = all
        .split(" abc a line")
        .filter_map(|before| before.get(before.len() - 6..));
    let numbers: Vec<u32> = numbers.filter_map(|number| number.parse().ok()).collect();
    assert_eq!(
        numbers,
        Vec::from_iter(0..20_000),
        "each line once, in order"
    );
}

#[test]
fn longer_ids_and_strangers_without_end() {
    let log = "abc-1\nid=other\n".repeat(500_000);
    assert_eq!(told("abc", &log), [""; 0]);
    let log = log.replace("\nid", "\nrequest_id");
    let own = format!("{TIME}  INFO shop: own correlation_id=abc\n");
    let told = told("abc", &format!("{own}{log}{own}{log}"));
    assert_eq!(messages(&told), ["own", "own"]);
    assert!(
        !told.join("\n").contains("other"),
        "strangers are not joined"
    );
}

#[test]
fn sixty_thousand_services() {
    let line = |n| {
        format!(
            r#"{{"time":"{TIME}","service":"s{n}","msg":"m","id":"abc"}}{}"#,
            "\n"
        )
    };
    let log: String = (0..60_000).map(line).collect();
    let told = told("abc", &log);
    let services: BTreeSet<_> = told.iter().map(|line| string(line, "service")).collect();
    assert_eq!((told.len(), services.len()), (60_000, 60_000));
    let text = trail_with(&["abc", "-"], log.as_bytes(), &[]);
    assert_eq!(stdout(&text).lines().count(), 60_001);
}

#[test]
fn bytes_that_are_no_text() {
    let mut log = b"\0\0\0\xff\xfe\xc3(\xf0\x28\x8c\xbc id=other\n".to_vec();
    log.extend(
        [
            TIME.as_bytes(),
            b"  INFO shop: \0a\xff\xc3( correlation_id=abc\n\0\0\0\n",
        ]
        .concat(),
    );
    log.extend(
        [
            TIME.as_bytes(),
            b"  INFO shop: of another\0 correlation_id=ab\0c\n",
        ]
        .concat(),
    );
    log.extend(
        [
            TIME.as_bytes(),
            b"  INFO shop: of another correlation_id=abc\xff\n",
        ]
        .concat(),
    );
    let told = told_of("abc", &log);
    assert!(
        string(&told[0], "message").contains("a\u{fffd}"),
        "{told:#?}"
    );
    assert!(!told[0].contains("another"), "{told:#?}");
    let raw = |c: char| c.is_control() && c != '\n';
    assert!(!told.join("\n").contains(raw), "{told:#?}");
}

#[test]
fn nested_without_end() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":"#, "}]")] {
        for closed in [0, 10_000] {
            let inner = r#""abc""#;
            let nested = [&open.repeat(10_000), inner, &close.repeat(closed)].concat();
            let log = format!(
                "{{\"time\":\"{TIME}\",\"msg\":\"deep\",\"x\":{nested}}}\n{nested}\n\
                 {{\"time\":\"{TIME}\",\"msg\":\"of another\",\"id\":\"other\"}}\n\
                 {{\"time\":\"{TIME}\",\"msg\":\"last\",\"id\":\"abc\"}}\n"
            );
            let told = told("abc", &log);
            let last = told.last().unwrap();
            assert_eq!(string(last, "message"), "last", "{open} {closed}");
            assert!(!told.join("\n").contains("of another"), "{open} {closed}");
        }
    }
}

#[test]
fn keys_that_come_twice() {
    for (line, message) in [
        (r#"{"msg":"a","id":"abc","id":"other","msg":"b"}"#, "a"),
        (r#"{"id":"other","msg":"a","id":"abc"}"#, "a"),
        (
            r#"{"untrusted_id":"x","msg":"a","id":"abc","untrusted_id":"abc"}"#,
            "a",
        ),
    ] {
        assert_eq!(messages(&told("abc", line)), [message], "{line}");
    }
    let strangers = r#"{"untrusted_id":"abc","msg":"a","id":"other","untrusted_id":"abc"}"#;
    assert_eq!(told("abc", strangers), [""; 0]);
}

#[test]
fn numbers_and_times_out_of_range() {
    for time in [
        "1e400",
        "-1e400",
        "1e-400",
        "99999999999999999999999999999999",
        "-9223372036854775808",
        "9223372036854775807",
        "253402300800000",
        "18446744073709551616",
        "\"\"",
        "null",
        "[]",
        "{}",
        "\"9999-99-99T99:99:99Z\"",
        "\"2026-02-30T00:00:00Z\"",
        "\"2026-11-22T25:61:61Z\"",
        "\"-999999-01-01T00:00:00Z\"",
        "\"2026-11-22T14:15:50+99:99\"",
        "{\"epochSecond\":1e99,\"nanoOfSecond\":-1}",
    ] {
        for key in [
            "time",
            "ts",
            "@t",
            "instant",
            "timeMillis",
            "__REALTIME_TIMESTAMP",
        ] {
            for level in ["1e99", "-1", "99999999999999999999"] {
                let line = format!(r#"{{"{key}":{time},"level":{level},"msg":"m","id":"abc"}}"#);
                assert_eq!(messages(&told_here(&line)), ["m"], "{line}");
            }
        }
    }
    for line in [
        "9999-99-99T99:99:99Z abc",
        "0000-00-00 00:00:00 abc",
        "2026-02-30T00:00:00Z abc",
        "2026-11-22T14:15:50.99999999999999999999999999999999Z abc",
        "2026-11-22T14:15:50+99:99 abc",
        "Feb 30 25:61:61 host shop[1]: abc",
        "Nov 99 14:15:50 host shop: abc",
        "<999999999999>Nov 22 14:15:50 host shop: abc",
        "<165>99999999999 2026-11-22T14:15:50Z host shop - - - abc",
        "10.0.0.1 - - [99/Foo/2026:14:15:50 +9999] \"GET / HTTP/1.1\" 99999999999 abc",
        "10.0.0.1 - - [22/Nov/99999:14:15:50 +0000] \"GET / HTTP/1.1\" 500 abc",
        "I1399 99:99:99.999999 1 a.go:1] abc",
        "[Sun Foo 99 99:99:99 9999999] abc",
        "99999999999999999999999999.9 abc",
        "13-99 99:99:99.999  1  1 W T: abc",
    ] {
        assert_eq!(told_here(line).len(), 1, "{line}");
    }
}

/// The records of the ID in the log, as JSON, by the command itself.
fn told(id: &str, log: &str) -> Vec<String> {
    told_of(id, log.as_bytes())
}

fn told_of(id: &str, log: &[u8]) -> Vec<String> {
    let output = trail_with(&["--json", id, "-"], log, &[]);
    assert_eq!(stderr(&output), "");
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{:?}", output.status);
    let lines: Vec<_> = stdout(&output).lines().map(str::to_owned).collect();
    assert_eq!(lines.is_empty(), code == Some(1));
    lines
}

/// The same in this process, which is quicker.
fn told_here(line: &str) -> Vec<String> {
    let mut trail = correlation_trail::Trail::new("abc");
    trail.reader("shop", line.as_bytes()).unwrap();
    let timeline = trail.finish();
    let _ = timeline.to_string();
    timeline
        .json()
        .to_string()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn messages(told: &[String]) -> Vec<String> {
    told.iter().map(|line| string(line, "message")).collect()
}

fn string(line: &str, key: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    record[key].as_str().unwrap().to_owned()
}
