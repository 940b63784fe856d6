//! The ID in the records of the `log` crate.

use std::sync::Mutex;

use correlation_core::log::{kv, tagged, wrap};
use correlation_core::{Policy, sync_scope};
use log::kv::{Error, Key, Source, Value, VisitSource};
use log::{Level, Log, Metadata, Record};

use crate::{CID, TRACE, TRACE_ID, accepted, id};

const CORRELATION_ID: &str = "correlation_id";

/// Keeps what it is given as `message key=value ..`; takes no debug records.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Log for &Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info
    }

    fn log(&self, record: &Record<'_>) {
        let mut line = Line(record.args().to_string(), 0);
        let pairs = record.key_values();
        pairs.visit(&mut line).unwrap();
        assert_eq!(pairs.count(), line.1);
        self.0.lock().unwrap().push(line.0);
    }

    fn flush(&self) {
        self.0.lock().unwrap().push("flushed".into());
    }
}

struct Line(String, usize);

impl<'kvs> VisitSource<'kvs> for Line {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0 += &format!(" {key}={value}");
        self.1 += 1;
        Ok(())
    }
}

fn record<R>(level: Level, pairs: &dyn Source, then: impl FnOnce(&Record<'_>) -> R) -> R {
    let mut builder = Record::builder();
    builder.level(level).key_values(&pairs);
    then(&builder.args(format_args!("one\ntwo")).build())
}

#[test]
fn a_pair_is_added_for_each_key_that_the_record_has_not() {
    let kept = Kept::default();
    let logger = wrap(&kept);
    let log = |pairs: &dyn Source| record(Level::Info, pairs, |record| logger.log(record));
    log(&("a", 1));
    let request = accepted(&Policy::new(), &[(CID, "abc"), ("traceparent", TRACE)]);
    sync_scope(request, || {
        log(&("a", 1));
        log(&("correlation_id", "own"));
        log(&("trace_id", "own"));
    });
    let expected = [
        "a=1".into(),
        format!("correlation_id=abc trace_id={TRACE_ID} a=1"),
        format!("trace_id={TRACE_ID} correlation_id=own"),
        "correlation_id=abc trace_id=own".into(),
    ];
    let expected = expected.map(|pairs| format!("one\ntwo {pairs}"));
    assert_eq!(*kept.0.lock().unwrap(), expected);
}

#[test]
fn the_logger_inside_is_asked_and_flushed() {
    let kept = Kept::default();
    let logger = wrap(&kept);
    let enabled = |level| logger.enabled(&Metadata::builder().level(level).build());
    assert!(enabled(Level::Info) && !enabled(Level::Debug));
    logger.flush();
    assert_eq!(*kept.0.lock().unwrap(), ["flushed"]);
}

#[test]
fn in_message_every_line_has_it() {
    let kept = Kept::default();
    let logger = wrap(&kept).in_message();
    let log = || {
        record(Level::Info, &("correlation_id", "abc"), |record| {
            logger.log(record);
        });
    };
    log();
    sync_scope(id("abc"), log);
    // The logger that this is for prints no pairs: one of the record must not count.
    let expected = [
        "one\ntwo correlation_id=abc",
        "one correlation_id=abc\ntwo correlation_id=abc correlation_id=abc",
    ];
    assert_eq!(*kept.0.lock().unwrap(), expected);
}

/// The line of a blank message has a level, a target and pairs.
#[test]
fn in_message_a_blank_message_has_it_as_well() {
    let kept = Kept::default();
    let logger = wrap(&kept).in_message();
    sync_scope(id("abc"), || {
        for message in ["", "\nsecond", " \n\n"] {
            let mut builder = Record::builder();
            logger.log(&builder.args(format_args!("{message}")).build());
        }
    });
    let expected = [
        " correlation_id=abc",
        " correlation_id=abc\nsecond correlation_id=abc",
        " correlation_id=abc \n\n",
    ];
    assert_eq!(*kept.0.lock().unwrap(), expected);
}

#[test]
fn added_pairs_can_be_asked_for() {
    struct Asks;
    impl Log for Asks {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &Record<'_>) {
            let get = |key| {
                record
                    .key_values()
                    .get(Key::from_str(key))
                    .map(|value| value.to_string())
            };
            assert_eq!(get("correlation_id").as_deref(), Some("abc"));
            assert_eq!(get("a").as_deref(), Some("1"));
            assert_eq!(get("b"), None);
        }
        fn flush(&self) {}
    }
    sync_scope(id("abc"), || {
        record(Level::Info, &("a", 1), |record| wrap(Asks).log(record));
    });
}

#[test]
fn hooks_write_what_they_are_given() {
    let both = || {
        record(Level::Info, &("a", 1), |record| {
            let (mut pairs, mut line) = (Vec::new(), Vec::new());
            kv(&mut pairs, record.key_values()).unwrap();
            let format = tagged(|out, record| {
                use std::io::Write;
                writeln!(out, "{{\"message\":\"{}\"}}", record.level())
            });
            format(&mut line, record).unwrap();
            [pairs, line].map(|bytes| String::from_utf8(bytes).unwrap())
        })
    };
    assert_eq!(both(), [" a=1", "{\"message\":\"INFO\"}\n"]);
    assert_eq!(
        sync_scope(id("abc"), both),
        [
            " a=1 correlation_id=abc",
            "{\"correlation_id\":\"abc\",\"message\":\"INFO\"}\n"
        ]
    );
}

#[test]
fn the_line_of_kv_ends_with_the_id_whatever_the_pairs_hold() {
    let line = |pairs: &dyn Source| {
        let mut line = Vec::new();
        kv(&mut line, pairs).unwrap();
        String::from_utf8(line).unwrap()
    };
    let request = accepted(&Policy::new(), &[(CID, "abc"), ("traceparent", TRACE)]);
    for (key, value, outside, inside) in [
        ("user", "bob", " user=bob", " user=bob"),
        (
            "user",
            "bob correlation_id=victim",
            " user=bob correlation_id=victim",
            " user=bob correlation_id=victim",
        ),
        (
            "user",
            "bob\r\n[INFO] refund correlation_id=victim\n",
            r" user=bob\r\n[INFO] refund correlation_id=victim\n",
            r" user=bob\r\n[INFO] refund correlation_id=victim\n",
        ),
        (
            "\n",
            "\x1b[8m\u{e9}",
            " \\n=\\x1b[8m\u{e9}",
            " \\n=\\x1b[8m\u{e9}",
        ),
        (
            CORRELATION_ID,
            "own",
            " correlation_id=own",
            " correlation_id=own",
        ),
        ("trace_id", "own", " trace_id=own", " trace_id=own"),
        // Each of these is there once.
        (CORRELATION_ID, "abc", " correlation_id=abc", ""),
        ("trace_id", TRACE_ID, &format!(" trace_id={TRACE_ID}"), ""),
    ] {
        assert_eq!(line(&(key, value)), outside);
        let tagged = sync_scope(request.clone(), || line(&(key, value)));
        assert_eq!(
            tagged,
            format!("{inside} trace_id={TRACE_ID} correlation_id=abc")
        );
    }
}
