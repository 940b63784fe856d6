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

/// Each fault is made in a log that is complete, and must be told, and nothing else.
#[test]
fn each_fault_is_found() {
    let faults: &[Fault] = &[
        // A record without its ID, of the handler and of the framework.
        (|log| log[2].ids.clear(), &["has no ID", "records of a"]),
        (|log| log[5].ids.clear(), &["has no ID", "records of a"]),
        // One with the ID of another request.
        (|log| log[1].ids = b(), &["records of a", "records of b"]),
        // As many records for each as there should be, but not the right ones.
        (
            |log| {
                log[1].ids = b();
                log[11].ids = vec!["a".to_owned()];
            },
            &["records of a", "records of b"],
        ),
        // One with an ID that no request had, and one with two.
        (
            |log| log[2].ids = vec!["stranger".to_owned()],
            &["that no request had", "records of a"],
        ),
        (
            |log| log[3].ids.push("a".to_owned()),
            &["more than one ID", "records of a"],
        ),
        // One that is missing, one that came twice, and one that nobody expected.
        (|log| drop(log.remove(4)), &["records of a", "records: "]),
        (
            |log| log.push(record(Some("a"), "tracing line 0")),
            &["records of a", "records: "],
        ),
        (
            |log| log.push(record(Some("a"), "something else")),
            &["records of a", "records: "],
        ),
        (
            |log| log.push(record(None, "something else")),
            &["records of no request", "records: "],
        ),
        // A gap that is closed, and a startup record with an ID.
        (
            |log| log[0].ids.push("a".to_owned()),
            &["records of a", "records before the ID"],
        ),
        (
            |log| log[12].ids.push("a".to_owned()),
            &["records of a", "records of no request"],
        ),
        // A request that left no record, and a log that is empty.
        (
            |log| log.retain(|record| record.ids != ["b"]),
            &["records of b", "records: "],
        ),
        (
            Vec::clear,
            &[
                "records of a",
                "records of b",
                "records before the ID",
                "records of no request",
                "records: ",
            ],
        ),
    ];
    for (n, (make, told)) in faults.iter().enumerate() {
        let mut log = log();
        make(&mut log);
        let report = judge(&log);
        let failures = report.failures();
        for fault in *told {
            let found = failures.iter().any(|failure| failure.contains(fault));
            assert!(found, "{n}: {fault:?} not in {failures:#?}");
        }
        for failure in failures {
            let known = told.iter().any(|fault| failure.contains(fault));
            assert!(known, "{n}: {failure} in addition to {told:?}");
        }
    }
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

/// What makes it, and what is told of it.
type Fault = (fn(&mut Vec<Record>), &'static [&'static str]);

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

fn b() -> Vec<String> {
    vec!["b".to_owned()]
}

fn judge(log: &[Record]) -> Report {
    let complete = Complete {
        ids: &["a", "b"].map(str::to_owned),
        lines: 2,
        framework: &["Matched"],
        early: &["received"],
        outside: 1,
    };
    complete.check(log)
}

const NONE: [&str; 0] = [];
