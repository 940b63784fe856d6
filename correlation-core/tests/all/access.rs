//! The access record, as a logger gets it.

use std::io;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use correlation_core::adapter::AccessRecord;
use correlation_core::{Context, Policy, Trust, current, sync_scope, tag};
use correlation_testkit::Capture;
use serde_json::{Value, json};

use crate::{CID, id, receive};

/// What is written while `f` runs.
fn records(f: impl FnOnce()) -> Vec<Value> {
    let log = Capture::default();
    let subscriber = tracing_subscriber::fmt().json();
    let subscriber = subscriber.with_writer(tag(log.clone())).finish();
    tracing::subscriber::with_default(subscriber, f);
    log.records()
}

fn access() -> AccessRecord {
    begin("/orders/42?token=secret?x")
}

fn begin(target: &str) -> AccessRecord {
    AccessRecord::begin(&recording(), &context(), "GET", target, None)
}

fn recording() -> Policy {
    Policy::new().access_record(true)
}

fn context() -> Context {
    id("click-1").into()
}

/// The outcomes of the records that are written while `f` runs.
fn outcomes(f: impl FnOnce()) -> Vec<String> {
    let records = records(f);
    assert!(
        records
            .iter()
            .all(|record| record["correlation_id"] == "click-1")
    );
    let outcomes = records.iter().map(|record| &record["fields"]["outcome"]);
    outcomes
        .map(|outcome| outcome.as_str().unwrap().to_owned())
        .collect()
}

fn panics(f: impl FnOnce()) {
    let payload = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "boom");
}

/// Between the times that the test measures inside and around.
#[test]
fn the_latency_is_in_milliseconds() {
    let around = Instant::now();
    let mut least = Duration::ZERO;
    let written = records(|| {
        let _record = access();
        let inside = Instant::now();
        while least < Duration::from_millis(2) {
            least = inside.elapsed();
        }
    });
    let latency = written[0]["fields"]["latency_ms"].as_f64().unwrap();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    assert!(milliseconds(least) - 0.001 <= latency, "{latency}");
    assert!(
        latency <= milliseconds(around.elapsed()) + 0.001,
        "{latency}"
    );
}

#[test]
fn it_is_off_by_default() {
    assert!(AccessRecord::is_wanted(&recording()) && !AccessRecord::is_wanted(&Policy::new()));
    let written = records(|| {
        let mut access = AccessRecord::begin(&Policy::new(), &context(), "GET", "/", None);
        assert!(!access.is_open());
        assert_eq!(access.run(|| 7), 7);
        access.complete();
    });
    assert!(written.is_empty());
}

#[test]
fn a_nested_middleware_writes_none() {
    assert!(!sync_scope(context(), access).is_open());
}

#[test]
fn the_query_is_left_out() {
    for (target, path) in [("/orders/42?token=secret?x", "/orders/42"), ("", "")] {
        let written = records(|| begin(target).complete());
        assert_eq!(written[0]["fields"]["path"], path);
    }
}

/// Nothing in a path ends its field, or the line.
#[test]
fn what_the_caller_chose_stays_one_field() {
    let hostile = "/\" correlation_id=victim status=200 \"\n\r\u{1b}[31m\u{7f}\u{202e}{\"a\":1}";
    let log = Capture::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(tag(log.clone()));
    tracing::subscriber::with_default(subscriber.finish(), || begin(hostile).complete());
    let lines = log.lines();
    let [line] = &lines[..] else {
        panic!("want one line, got {lines:?}");
    };
    assert!(line.ends_with(" correlation_id=click-1"), "{line}");
    assert!(
        line.contains(&format!(" path={hostile:?} latency_ms=")),
        "{line}"
    );
    assert!(!line.contains(['\u{1b}', '\u{7f}', '\u{202e}']), "{line}");
    assert_eq!(
        records(|| begin(hostile).complete())[0]["fields"]["path"],
        hostile
    );
}

#[test]
fn what_the_caller_chose_is_cut_where_it_is_long() {
    let fits = format!("/{}", "x".repeat(1023));
    for (sent, told) in [
        (fits.clone(), fits.clone()),
        (format!("{fits}?query"), fits.clone()),
        (format!("{fits}y"), format!("{fits}…")),
        (fits.repeat(64), format!("{fits}…")),
        // What text escapes counts as it is written: `\u{300}`, and `\"`.
        (
            format!("/{}", "\u{300}".repeat(147)),
            format!("/{}…", "\u{300}".repeat(146)),
        ),
        (
            format!("/{}", "\"".repeat(512)),
            format!("/{}…", "\"".repeat(511)),
        ),
        // No character is cut in two.
        (
            format!("/{}", "é".repeat(512)),
            format!("/{}…", "é".repeat(511)),
        ),
    ] {
        let access = || AccessRecord::begin(&recording(), &context(), &sent, &sent, None);
        let fields = fields(|| access().complete());
        assert_eq!(fields["path"], told);
        assert!(fields["method"].as_str().unwrap().len() <= told.len() + 8);
    }
}

/// The fields of the one record that is written while `f` runs, but the time.
fn fields(f: impl FnOnce()) -> Value {
    let records = records(f);
    let [record] = &records[..] else {
        panic!("want one record, got {records:?}");
    };
    let mut fields = record["fields"].clone();
    let latency = fields.as_object_mut().unwrap().remove("latency_ms");
    assert!(latency.unwrap().as_f64().unwrap() >= 0.0);
    fields["level"] = record["level"].clone();
    fields
}

#[test]
fn what_is_known_is_told_and_nothing_else() {
    let known = fields(|| {
        let peer: Option<IpAddr> = "192.0.2.7".parse().ok();
        let mut access = AccessRecord::begin(&recording(), &context(), "PUT", "/orders/42", peer);
        access.route("/orders/{id}");
        access.status(200);
        access.sent(500);
        access.sent(12);
        access.complete();
    });
    let want = json!({
        "level": "INFO", "message": "request", "method": "PUT", "path": "/orders/42",
        "route": "/orders/{id}", "status": 200, "bytes": 512, "peer": "192.0.2.7",
        "outcome": "completed",
    });
    assert_eq!(known, want);

    let unknown = fields(|| drop(begin("/")));
    let want = json!({
        "level": "INFO", "message": "request", "method": "GET", "path": "/",
        "outcome": "client_gone",
    });
    assert_eq!(unknown, want);
}

#[test]
fn failures_of_the_server_are_warnings() {
    for (status, level) in [(200, "INFO"), (499, "INFO"), (500, "WARN"), (599, "WARN")] {
        let written = fields(|| begin("/").status(status));
        assert_eq!(written["level"], level, "{status}");
    }
    assert_eq!(fields(|| begin("/").panicked())["level"], "WARN");
}

#[test]
fn where_no_body_is_sent_the_status_is_the_end() {
    for (method, status, ends) in [
        ("GET", 101, true),
        ("GET", 204, true),
        ("GET", 304, true),
        ("HEAD", 200, true),
        ("CONNECT", 200, true),
        ("CONNECT", 299, true),
        ("CONNECT", 300, false),
        ("CONNECT", 400, false),
        ("GET", 200, false),
        ("POST", 302, false),
    ] {
        let written = fields(|| {
            let mut access = AccessRecord::begin(&recording(), &context(), method, "/", None);
            access.status(status);
            assert_eq!(access.is_open(), !ends, "{method} {status}");
            access.length(0);
            assert!(!access.is_open(), "{method} {status}");
            access.sent(7);
        });
        assert_eq!(written["outcome"], "completed");
        assert_eq!(written["bytes"], 0);
    }
}

#[test]
fn after_the_length_nobody_asks_for_more() {
    for (parts, outcome) in [
        (&[3, 4][..], "completed"),
        (&[8], "completed"),
        (&[3, 3], "client_gone"),
        (&[], "client_gone"),
    ] {
        let written = fields(|| {
            let mut access = access();
            access.length(7);
            parts.iter().for_each(|part| access.sent(*part));
        });
        assert_eq!(written["outcome"], outcome, "{parts:?}");
        assert_eq!(written["bytes"], parts.iter().sum::<u64>(), "{parts:?}");
    }
}

#[test]
fn an_untrusted_id_is_told_unless_it_could_be_found_by_another() {
    let policy = recording().trust(Trust::never());
    for (sent, told) in [
        ("theirs-1", true),
        ("dGhlaXJzLQ==", true),
        ("|correlation_id=victim", false),
        ("a=b=", false),
    ] {
        let decision = receive(&policy, &[(CID, sent)], None);
        let begin = || AccessRecord::begin(&policy, decision.context(), "GET", "/", None);
        let written = fields(|| drop(begin()));
        if told {
            assert_eq!(written["untrusted_id"], sent);
            assert_eq!(written["untrusted_len"], Value::Null);
        } else {
            assert_eq!(written["untrusted_id"], Value::Null);
            assert_eq!(written["untrusted_len"], sent.len());
        }
    }
}

#[test]
fn what_is_dropped_before_its_end_has_lost_its_client() {
    assert_eq!(outcomes(|| access().complete()), ["completed"]);
    assert_eq!(outcomes(|| drop(access())), ["client_gone"]);
    assert_eq!(outcomes(|| access().panicked()), ["panicked"]);
}

#[test]
fn a_panic_in_a_step_is_recorded_once_and_goes_on() {
    let written = outcomes(|| {
        let mut access = access();
        access.run(|| ());
        panics(|| access.run(|| panic!("boom")));
        assert!(!access.is_open());
    });
    assert_eq!(written, ["panicked"]);
}

#[test]
fn nothing_is_logged_while_a_thread_unwinds() {
    let written = outcomes(|| {
        let access = access();
        panics(|| {
            let _access = access;
            panic!("boom");
        });
    });
    assert!(written.is_empty());
}

#[test]
fn a_logger_that_panics_changes_nothing() {
    let subscriber = tracing_subscriber::fmt().with_writer(|| Broken);
    tracing::subscriber::with_default(subscriber.finish(), || {
        let mut access = access();
        panics(|| access.run(|| panic!("boom")));
        access = begin("/");
        assert_eq!(access.run(|| 7), 7);
        access.complete();
        drop(begin("/"));
    });
    assert_eq!(current(), None);
}

/// As standard output is, and standard error with it, when nobody reads them.
struct Broken;

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        std::panic::panic_any(Bomb)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Panics once more when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("bomb");
    }
}
