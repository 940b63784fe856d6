//! The judge of logs finds each fault: it is shown logs that are wrong in one known way.

use correlation_testkit::Report;
use correlation_testkit::service::records::{Complete, Record};

#[test]
fn a_complete_log_passes() {
    let report = judge(&log());
    assert_eq!(report.failures(), NONE);
    // A comparison for each record, one for each request, and three sums.
    assert_eq!(report.compared(), log().len() + 2 + 3);
}

#[test]
fn a_record_without_its_id() {
    let mut log = log();
    log[2] = record(None, "log line 0");
    found(&log, &["has no ID", "records of a"]);
}

#[test]
fn a_framework_record_without_its_id() {
    let mut log = log();
    let matched = log.iter().position(|record| record.message == "Matched: b");
    log[matched.unwrap()] = record(None, "Matched: b");
    found(&log, &["has no ID", "records of b"]);
}

#[test]
fn a_record_with_the_id_of_another_request() {
    let mut log = log();
    log[1].ids = vec!["b".to_owned()];
    found(&log, &["records of a", "records of b"]);
}

#[test]
fn two_requests_whose_ids_were_swapped_once() {
    let mut log = log();
    // As many records for each as there should be, but not the right ones.
    let of_b = log.iter().position(|record| record.message == "Matched: b");
    log[1].ids = vec!["b".to_owned()];
    log[of_b.unwrap()].ids = vec!["a".to_owned()];
    found(&log, &["records of a", "records of b"]);
}

#[test]
fn a_record_with_an_id_that_no_request_had() {
    let mut log = log();
    log[2].ids = vec!["stranger".to_owned()];
    found(&log, &["that no request had", "records of a"]);
}

#[test]
fn a_record_with_two_ids() {
    let mut log = log();
    log[3].ids.push("a".to_owned());
    found(&log, &["more than one ID", "records of a"]);
}

#[test]
fn a_record_that_is_missing() {
    let mut log = log();
    log.remove(4);
    found(&log, &["records of a", "records: "]);
}

#[test]
fn a_record_that_came_twice() {
    let mut log = log();
    log.push(record(Some("a"), "tracing line 0"));
    found(&log, &["records of a", "records: "]);
}

#[test]
fn a_record_that_nobody_expected() {
    let mut log = log();
    log.push(record(Some("a"), "something else"));
    found(&log, &["records of a", "records: "]);
    log.pop();
    log.push(record(None, "something else"));
    found(&log, &["records of no request", "records: "]);
}

#[test]
fn a_gap_that_is_closed() {
    let mut log = log();
    log[0].ids.push("a".to_owned());
    found(&log, &["records of a", "records before the ID"]);
}

#[test]
fn a_startup_record_with_an_id() {
    let mut log = log();
    let started = log.iter_mut().find(|record| record.message == "started");
    started.unwrap().ids.push("a".to_owned());
    found(&log, &["records of a", "records of no request"]);
}

#[test]
fn a_request_that_left_no_record() {
    let log: Vec<_> = log().into_iter().filter(|r| r.ids != ["b"]).collect();
    found(&log, &["records of b", "records: "]);
}

#[test]
fn an_empty_log() {
    let requests = ["records of a", "records of b", "records before the ID"];
    let sums = ["records of no request", "records: "];
    found(&[], &[&requests[..], &sums].concat());
}

#[test]
fn only_what_is_known_to_write_about_connections_may() {
    let mut log = log();
    for target in ["h2::codec", "service"] {
        log.push(Record {
            target: target.to_owned(),
            ..record(None, "frame")
        });
    }
    let sums = ["records of no request: got 2, want 1", "records: "];
    found(&log, &sums);
    log.pop();
    assert_eq!(judge(&log).failures(), NONE);
}

#[test]
fn json_is_read_as_it_stands() {
    let line = r#"{"correlation_id":"a","level":"INFO","fields":{"message":"m"},"target":"t"}"#;
    let read = Record::json(line).unwrap();
    assert_eq!(
        (read.ids, read.message),
        (vec!["a".to_owned()], "m".to_owned())
    );

    let twice = r#"{"correlation_id":"a","correlation_id":"a","fields":{"message":"m"}}"#;
    assert_eq!(Record::json(twice).unwrap().ids, ["a", "a"]);
    let none = r#"{"fields":{"message":"m"},"target":"t"}"#;
    assert_eq!(Record::json(none).unwrap().ids, NONE);
    for wrong in [
        "",
        "2026-11-23 INFO m",
        "[]",
        r#"{"fields":{"message":"m"}"#,
        r#"{"fields":{"message":"m"}} correlation_id=a"#,
        r#"{"fields":{"message":"m","correlation_id":"a"}}"#,
        r#"{"correlation_id":"a","span":{"correlation_id":"a"},"fields":{"message":"m"}}"#,
    ] {
        assert!(Record::json(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn text_is_read_as_it_stands() {
    let read =
        Record::text("2026-11-23T01:47:42Z  INFO a::b: log line 0 correlation_id=a").unwrap();
    assert_eq!((&*read.target, &*read.message), ("a::b", "log line 0"));
    assert_eq!(read.ids, ["a"]);

    let twice = "T INFO t: m correlation_id=a correlation_id=a";
    assert_eq!(Record::text(twice).unwrap().ids, ["a", "a"]);
    assert_eq!(Record::text("T INFO t: m").unwrap().ids, NONE);
    for wrong in [
        "T INFO t: m correlation_id=a more",
        "\u{1b}[32mINFO\u{1b}[0m t: m correlation_id=a",
    ] {
        assert!(Record::text(wrong).is_err(), "{wrong}");
    }
}

/// Two requests with one line each, and one record of none.
fn log() -> Vec<Record> {
    let mut log = vec![];
    for id in ["a", "b"] {
        log.push(record(None, &format!("received: {id}")));
        log.push(record(Some(id), "tracing line 0"));
        log.push(record(Some(id), "log line 0"));
        log.push(record(Some(id), "tracing line 1"));
        log.push(record(Some(id), "log line 1"));
        log.push(record(Some(id), &format!("Matched: {id}")));
    }
    log.push(record(None, "started"));
    log
}

fn record(id: Option<&str>, message: &str) -> Record {
    Record {
        ids: id.into_iter().map(str::to_owned).collect(),
        message: message.to_owned(),
        ..Record::default()
    }
}

fn judge(log: &[Record]) -> Report {
    let complete = Complete {
        ids: &["a", "b"].map(str::to_owned),
        lines: 2,
        framework: &["Matched"],
        early: &["received"],
        outside: 1,
        connections: &["h2::"],
    };
    complete.check(log)
}

/// Each of these faults is reported, and no other.
fn found(log: &[Record], faults: &[&str]) {
    let report = judge(log);
    let failures = report.failures();
    for fault in faults {
        let told = failures.iter().any(|failure| failure.contains(fault));
        assert!(told, "{fault:?} not in {failures:#?}");
    }
    for failure in failures {
        let known = faults.iter().any(|fault| failure.contains(fault));
        assert!(known, "{failure} in addition to {faults:?}");
    }
}

const NONE: [&str; 0] = [];
