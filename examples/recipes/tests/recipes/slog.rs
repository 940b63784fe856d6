use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use correlation_core::{current, sync_scope};
use recipes::slog::Correlate;
use serde_json::Value;
use slog::{Drain, FnValue, Level, Logger, OwnedKVList, Record, info, o};
use slog_async::Async;
use slog_json::Json;

use crate::id;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    /// JSON on this sink, printed by the thread that logs.
    fn sync(&self) -> impl Drain<Ok = (), Err = slog::Never> + Send + use<> {
        Mutex::new(Json::new(self.clone()).add_default_keys().build()).fuse()
    }

    /// The same, printed by a thread of its own.
    fn by_worker(&self) -> slog::Fuse<Async> {
        Async::new(self.sync()).build().fuse()
    }

    /// For each line, whether there is an ID, and which.
    fn ids(&self) -> Vec<Option<Value>> {
        let printed = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = printed.lines().map(|line| {
            assert!(line.matches("correlation_id").count() <= 1, "{line}");
            serde_json::from_str::<Value>(line).unwrap()
        });
        lines
            .map(|line| line.get("correlation_id").cloned())
            .collect()
    }
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
    for sync in [true, false] {
        let sink = Sink::default();
        if sync {
            let drain = Correlate(sink.sync()).fuse();
            log_with(Logger::root(drain, o!("service" => "shop")));
        } else {
            let drain = Correlate(sink.by_worker()).fuse();
            log_with(Logger::root(drain, o!("service" => "shop")));
        }
        assert_eq!(sink.ids(), [None, Some("click-7".into())]);
        let printed = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let inside: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
        let other = (&inside["service"], &inside["table"], &inside["rows"]);
        assert_eq!(other, (&"shop".into(), &"users".into(), &3.into()));
    }
}

#[test]
fn a_lazy_value_is_right_as_long_as_nothing_is_handed_over() {
    let sink = Sink::default();
    log_with(Logger::root(sink.sync(), lazy()));
    assert_eq!(sink.ids(), [Some(Value::Null), Some("click-7".into())]);
}

/// The trap: the worker asks for the value, and it works for no request.
#[test]
fn a_lazy_value_is_null_with_slog_async() {
    let sink = Sink::default();
    log_with(Logger::root(sink.by_worker(), lazy()));
    assert_eq!(sink.ids(), [Some(Value::Null), Some(Value::Null)]);
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
