//! Which lines belong to a record, and which IDs count.

use std::io::{self, ErrorKind, Read};

use correlation_trail::Trail;

use super::Trickle;

#[test]
fn each_log_has_its_records() {
    for case in include_str!("../cases/records.txt").split("# ").skip(1) {
        let (name, case) = case.split_once('\n').unwrap();
        let (log, expected) = case.split_once("\n=> ").unwrap();
        let log = log.replace("CR", "\r").replace("ESC", "\x1b");
        let log = log.replace("T.", "2026-11-22T14:15:50.");
        let expected: Vec<_> = expected.trim_end().split("\n=> ").collect();
        for step in [1, 10, 50, 100, usize::MAX] {
            assert_eq!(told(&log, step), expected, "{name}, {step} bytes at once");
            assert_eq!(told(&format!("{log}\n"), step), expected, "{name}, {step}");
        }
    }
}

#[test]
fn a_record_has_an_end() {
    let log = format!("2026-11-22T14:15:50Z a abc\n{}", "endless\n".repeat(1_000));
    assert_eq!(told(&log, usize::MAX)[0].matches(" | ").count(), 200);
    let log = format!("2026-11-22T14:15:50.1Z a abc\n{}end", "\n".repeat(1_000));
    assert_eq!(told(&log, usize::MAX), ["1 1 [a abc]"]);
}

#[test]
fn whole_ids_count() {
    for case in include_str!("../cases/ids.txt").lines() {
        match case.split_at(2) {
            ("+ ", line) => assert!(has("abc", line), "{line}"),
            ("- ", line) => assert!(!has("abc", line), "{line}"),
            // What a stranger chose does not count.
            ("? ", line) => {
                for value in ["abc", "x|abc", "abc|x"] {
                    let line = line.replace("ID", value);
                    assert!(!has("abc", &line), "{line}");
                    let own = format!("{line} correlation_id=abc");
                    assert!(has("abc", &own), "{own}");
                }
            }
            _ => assert!(case.starts_with('#'), "{case}"),
        }
    }
}

#[test]
fn ids_of_all_makes() {
    for id in [
        "5cb8f0c2-0a52-4d3c-9f0e-5b8a3a2f7a11",
        "7F000001:8296_4F7B0A69:1F90",
        "|4bf92f35.1_2.",
        "YWJj+/==",
        "two words",
        "\u{e4}",
    ] {
        for line in ["correlation_id=ID", "a ID b", "\"ID\"", "xID IDx ID"] {
            assert!(has(id, &line.replace("ID", id)), "{line} {id}");
        }
        assert!(!has(id, &format!("x{id} {id}x")), "{id}");
    }
    for (id, line) in [
        ("YWJj+/==", r#"{"id":"YWJj\u002B/=="}"#),
        ("YWJj+/==", r#"{"id":"YWJj+\/=="}"#),
        ("YWJj+/==", r#"{"id":"YWJj+/\u003d\u003d"}"#),
        ("a/b1", r#"{"context":{"id":"a\/b1"}}"#),
        ("+/", r#"{"id":"+/"}"#),
    ] {
        assert!(has(id, line), "{line}");
        assert!(!has(id, &line.replace("id\":\"", "id\":\"x")), "{line}");
    }
    assert!(has("a#012b", "id=a#012b") && has(r"shop\bob", r"by shop\bob"));
    assert!(!has("", "a  b") && !has("abc", ""));
    // A bar separates unless the ID has one.
    assert!(!has("a|b", "c|a|b"));
}

#[test]
fn what_came_before_an_error_counts() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::ConnectionReset.into())
        }
    }
    let mut trail = Trail::new("abc");
    let error = trail.reader("shop", (&b"end abc"[..]).chain(Broken));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(trail.finish().records()[0].message, "end abc");
}

#[test]
fn a_coarse_time_is_told_as_late_as_it_can_be() {
    let story = |files: &[(&str, &str)]| {
        let mut trail = Trail::new("abc");
        for (service, log) in files {
            trail
                .reader(service, log.replace("T", "2026-11-22T14:15:").as_bytes())
                .unwrap();
        }
        let timeline = trail.finish();
        let records = timeline.records().iter();
        let told = records.map(|record| (record.message.clone(), record.coarse));
        told.collect::<Vec<_>>()
    };
    let cause = (
        "fine",
        "T50.100Z cause correlation_id=abc\nT51.000100Z next correlation_id=abc\n",
    );
    let effect = ("coarse", "T50Z effect correlation_id=abc\n");
    let expected = [("cause", false), ("effect", true), ("next", false)];
    let expected = expected.map(|(message, coarse)| (message.to_owned(), coarse));
    assert_eq!(story(&[effect, cause]), expected);
    assert_eq!(story(&[cause, effect]), expected);
    // The order of a file stays, whatever others say.
    let mixed = (
        "mixed",
        "T50Z first correlation_id=abc\nT50.050Z second correlation_id=abc\nT50Z third correlation_id=abc\n",
    );
    let messages = story(&[cause, mixed])
        .into_iter()
        .map(|(message, _)| message);
    assert_eq!(
        Vec::from_iter(messages),
        ["first", "second", "cause", "third", "next"]
    );
    // Milliseconds are coarse beside microseconds, but have no mark.
    let fine = ("fine", "T50.200900Z cause correlation_id=abc\n");
    let milli = ("milli", "T50.200Z effect correlation_id=abc\n");
    let expected = ["cause", "effect"].map(|message| (message.to_owned(), false));
    assert_eq!(story(&[milli, fine]), expected);
}

#[test]
fn times_without_a_zone_are_of_the_zone_that_is_set() {
    let log = b"2026-11-22 14:15:50.2 abc\n2026-11-22 14:15:50.2Z abc\n";
    for (zone, times) in [
        ("UTC", ["14:15:50.2Z", "14:15:50.2Z"]),
        ("+02:00", ["12:15:50.2Z", "14:15:50.2Z"]),
        ("America/New_York", ["14:15:50.2Z", "19:15:50.2Z"]),
    ] {
        let mut trail = Trail::new("abc");
        trail.zone(zone).unwrap().reader("shop", &log[..]).unwrap();
        let timeline = trail.finish();
        let records = timeline.records().iter();
        let told = records.map(|record| record.time.unwrap().to_string()[11..].to_owned());
        assert_eq!(Vec::from_iter(told), times, "{zone}");
    }
    assert!(Trail::new("abc").zone("Nowhere/Else").is_err());
}

fn has(id: &str, line: &str) -> bool {
    let mut trail = Trail::new(id);
    trail.reader("shop", line.as_bytes()).unwrap();
    !trail.finish().records().is_empty()
}

/// `LINE ~SECOND [MESSAGE] | CONTINUATION..` of the records of `abc`.
fn told(log: &str, step: usize) -> Vec<String> {
    let mut trail = Trail::new("abc");
    trail.reader("shop", Trickle(log.as_bytes(), step)).unwrap();
    let timeline = trail.finish();
    let told = timeline.records().iter().map(|record| {
        let time = record.time.map(|time| time.to_string());
        let time = time.map_or("?".to_owned(), |time| time[20..].replace('Z', ""));
        let mark = if record.estimated { "~" } else { "" };
        let first = format!("{} {mark}{time} [{}]", record.line, record.message);
        let lines = [&[first], record.continuation.as_slice()].concat();
        lines.join(" | ")
    });
    told.collect()
}
