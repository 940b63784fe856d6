//! What the library says itself, and the access record, reach a logger of the `log` crate where
//! `tracing` has no subscriber, whatever features are on.

#![cfg(feature = "log")]

use std::collections::HashMap;
use std::sync::{Mutex, Once};

use correlation_core::adapter::{AccessRecord, warn};
use correlation_core::{Context, CorrelationId, Policy, TraceContext, Trust, current, sync_scope};
use log::{LevelFilter, Log, Metadata, Record};

#[test]
fn an_id_that_is_not_trusted() {
    listen();
    let policy = Policy::new().trust(Trust::networks(["::1"]));
    let receive = |id: &'static str| {
        let decision = policy.receive(|| [("x-correlation-id", id)], None);
        decision.context().id().to_string()
    };
    let ids = ["theirs", "|correlation_id=victim", "not valid"].map(receive);
    let told = [
        ("WARN", "the policy needs the peer address", "-"),
        (
            "INFO",
            "caller's ID is not trusted untrusted_id=\"theirs\"",
            ids[0].as_str(),
        ),
        (
            "INFO",
            "caller's ID is not trusted untrusted_len=22",
            ids[1].as_str(),
        ),
        (
            "DEBUG",
            "ignored header x-correlation-id of 9 bytes: byte not allowed",
            ids[2].as_str(),
        ),
    ];
    let mut records = records_of("correlation");
    records.retain(|record| !record.ends_with(" in call-1"));
    assert_eq!(records.len(), told.len(), "{records:?}");
    for (record, (level, message, id)) in records.iter().zip(told) {
        assert!(
            record.starts_with(&format!("{level} {message}")),
            "{record}"
        );
        assert!(record.ends_with(&format!(" in {id}")), "{record}");
    }
}

/// All of them go the same way, whichever crate writes them.
#[test]
fn an_outbound_call_and_a_warning_of_an_adapter() {
    listen();
    let policy = Policy::new().trace_context(TraceContext::Participate { sampled: true });
    let context = policy.receive(|| [("x-correlation-id", "call-1")], None);
    let mut sent = HashMap::<String, String>::new();
    context.context().inject(&mut sent);
    sync_scope(context.into_context(), || warn("a hook failed"));
    let records = records_of("correlation").into_iter();
    let of_call = records.filter(|record| record.ends_with(" in call-1"));
    let parent = &sent["traceparent"][36..52];
    assert_eq!(
        of_call.collect::<Vec<_>>(),
        [
            format!("DEBUG outbound call span_id={parent} in call-1"),
            "WARN a hook failed in call-1".to_owned()
        ]
    );
}

#[test]
fn an_access_record_is_one_line() {
    listen();
    let context = Context::from("click-1".parse::<CorrelationId>().unwrap());
    let policy = Policy::new().access_record(true);
    let peer: Option<std::net::IpAddr> = "192.0.2.7".parse().ok();
    let mut access = AccessRecord::begin(&policy, &context, "PUT", "/orders/42?x", peer);
    access.route("/orders/{id}");
    access.status(500);
    access.sent(3);
    access.complete();
    drop(AccessRecord::begin(&policy, &context, "GET", "/", None));

    let strict = policy.trust(Trust::never());
    let strangers = ["theirs", "|correlation_id=victim"].map(|theirs| {
        let lines = || [("x-correlation-id", theirs)];
        let context = strict.receive(lines, None).into_context();
        drop(AccessRecord::begin(&strict, &context, "GET", "/", None));
        context.id().to_string()
    });

    let records = records_of("access");
    let times_aside: Vec<_> = records
        .iter()
        .map(|record| {
            let words = record.split(' ');
            let words = words.filter(|word| !word.starts_with("latency_ms="));
            words.collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(
        times_aside[..2],
        [
            r#"WARN request method="PUT" path="/orders/42" route="/orders/{id}" status=500 bytes=3 peer=192.0.2.7 outcome="completed" in click-1"#,
            r#"INFO request method="GET" path="/" outcome="client_gone" in click-1"#,
        ]
    );
    let fields = [r#"untrusted_id="theirs""#, "untrusted_len=22"];
    for ((record, id), field) in times_aside[2..].iter().zip(strangers).zip(fields) {
        let outcome = r#"outcome="client_gone""#;
        let expected = format!(r#"INFO request method="GET" path="/" {field} {outcome} in {id}"#);
        assert_eq!(*record, expected);
    }
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|record| record.contains(" latency_ms=")));
}

/// Installs the one logger of the process. Each test begins with it.
fn listen() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        log::set_logger(&Kept).unwrap();
        log::set_max_level(LevelFilter::Debug);
    });
}

/// What was written with this target.
fn records_of(target: &str) -> Vec<String> {
    let records = RECORDS.lock().unwrap();
    let of_target = records.iter().filter(|(known, _)| known == target);
    of_target.map(|(_, record)| record.clone()).collect()
}

static RECORDS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

struct Kept;

impl Log for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let id = current().map_or("-".to_owned(), |id| id.to_string());
        let line = format!("{} {} in {id}", record.level(), record.args());
        let record = (record.target().to_owned(), line);
        RECORDS.lock().unwrap().push(record);
    }

    fn flush(&self) {}
}
