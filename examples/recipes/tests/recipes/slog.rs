use std::sync::Mutex;

use correlation_core::{current, sync_scope};
use correlation_testkit::Capture;
use recipes::slog::Correlate;
use serde_json::Value;
use slog::{Drain, FnValue, Level, Logger, OwnedKVList, Record, info, o};
use slog_async::Async;
use slog_json::Json;

use crate::id;

/// JSON on this writer, printed by the thread that logs.
fn sync(log: &Capture) -> impl Drain<Ok = (), Err = slog::Never> + Send + use<> {
    Mutex::new(Json::new(log.clone()).add_default_keys().build()).fuse()
}

/// The same, printed by a thread of its own.
fn by_worker(log: &Capture) -> slog::Fuse<Async> {
    Async::new(sync(log)).build().fuse()
}

/// For each line, whether there is an ID, and which.
fn ids(log: &Capture) -> Vec<Option<Value>> {
    let lines = log.lines();
    let twice = |line: &&String| line.matches("correlation_id").count() > 1;
    assert_eq!(lines.iter().find(twice), None);
    let records = log.records().into_iter();
    records
        .map(|record| record.get("correlation_id").cloned())
        .collect()
}

/// Two lines, one outside of a request and one inside; then all of them are printed.
fn log_with(logger: Logger) {
    info!(logger, "outside");
    let child = logger.new(o!("table" => "users"));
    sync_scope(id(), || info!(child, "inside"; "rows" => 3));
    drop((logger, child));
}

fn lazy() -> slog::OwnedKV<impl slog::SendSyncRefUnwindSafeKV> {
    o!("correlation_id" => FnValue(|_: &Record<'_>| current().map(String::from)))
}

#[test]
fn in_front_of_the_worker_every_record_has_it() {
    for is_sync in [true, false] {
        let log = Capture::default();
        if is_sync {
            let drain = Correlate(sync(&log)).fuse();
            log_with(Logger::root(drain, o!("service" => "shop")));
        } else {
            let drain = Correlate(by_worker(&log)).fuse();
            log_with(Logger::root(drain, o!("service" => "shop")));
        }
        assert_eq!(ids(&log), [None, Some("click-7".into())]);
        let inside = &log.records()[1];
        let other = (&inside["service"], &inside["table"], &inside["rows"]);
        assert_eq!(other, (&"shop".into(), &"users".into(), &3.into()));
    }
}

#[test]
fn a_lazy_value_is_right_as_long_as_nothing_is_handed_over() {
    let log = Capture::default();
    log_with(Logger::root(sync(&log), lazy()));
    assert_eq!(ids(&log), [Some(Value::Null), Some("click-7".into())]);
}

/// The trap: the worker asks for the value, and it works for no request.
#[test]
fn a_lazy_value_is_null_with_slog_async() {
    let log = Capture::default();
    log_with(Logger::root(by_worker(&log), lazy()));
    assert_eq!(ids(&log), [Some(Value::Null), Some(Value::Null)]);
}

#[test]
fn the_inner_drain_says_what_is_enabled() {
    struct Warnings;
    impl Drain for Warnings {
        type Ok = ();
        type Err = slog::Never;

        fn log(&self, _: &Record<'_>, _: &OwnedKVList) -> Result<(), slog::Never> {
            Ok(())
        }

        fn is_enabled(&self, level: Level) -> bool {
            level.is_at_least(Level::Warning)
        }
    }
    let drain = Correlate(Warnings);
    assert!(drain.is_enabled(Level::Error) && !drain.is_enabled(Level::Info));
}
