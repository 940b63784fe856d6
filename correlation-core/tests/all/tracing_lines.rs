//! What a `tag` does for the writers of `tracing`.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use correlation_core::{Tag, sync_scope, tag};
use tracing_subscriber::fmt::MakeWriter;

use crate::id;

/// Keeps each `write` apart.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<String>>>);

impl Sink {
    fn writes(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        self.0.lock().unwrap().push(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn in_scope<R>(f: impl FnOnce() -> R) -> R {
    sync_scope(id("abc"), f)
}

/// Writes the pieces of one record.
fn written(pieces: &[&str]) -> Vec<String> {
    let sink = Sink::default();
    let tag = tag(sink.clone());
    in_scope(|| {
        let mut writer = tag.make_writer();
        for piece in pieces {
            writer.write_all(piece.as_bytes()).unwrap();
        }
    });
    sink.writes()
}

#[test]
fn a_whole_record_is_one_write() {
    assert_eq!(
        written(&["one\ntwo\n"]),
        ["one correlation_id=abc\ntwo correlation_id=abc\n"]
    );
}

#[test]
fn pieces_are_held_back_until_their_line_is_complete() {
    assert_eq!(
        written(&["{", "\"a\":", "1}", "\n"]),
        ["{\"correlation_id\":\"abc\",\"a\":1}\n"]
    );
    assert_eq!(
        written(&["on", "e\ntw", "o\n", "rest"]),
        [
            "one correlation_id=abc\n",
            "two correlation_id=abc\n",
            "rest correlation_id=abc"
        ]
    );
    assert_eq!(written(&["", ""]), [""; 0]);
}

#[test]
fn outside_of_a_scope_nothing_is_changed() {
    let sink = Sink::default();
    tag(sink.clone()).make_writer().write_all(b"one\n").unwrap();
    assert_eq!(sink.writes(), ["one\n"]);
}

#[test]
fn a_writer_that_logs_does_no_harm() {
    #[derive(Clone)]
    struct Logging(Sink, Tag<Sink>);
    impl Write for Logging {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.make_writer().write_all(b"from the writer\n")?;
            in_scope(|| self.0.write(bytes))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let sink = Sink::default();
    let outer = tag({
        let logging = Logging(sink.clone(), tag(sink.clone()));
        move || logging.clone()
    });
    in_scope(|| outer.make_writer().write_all(b"record\n").unwrap());
    assert_eq!(
        sink.writes(),
        [
            "from the writer correlation_id=abc\n",
            "record correlation_id=abc\n"
        ]
    );
}

#[test]
fn errors_of_the_inner_writer_are_passed_on() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let tag = tag(|| Broken);
    let error = in_scope(|| tag.make_writer().write_all(b"record\n")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}

#[test]
fn log_records_and_a_key_of_ones_own() {
    let sink = Sink::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(tag(sink.clone()).key("http.request.id"));
    // It takes the records of the log crate, too.
    let guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    in_scope(|| log::info!("from the log crate"));
    drop(guard);
    let writes = sink.writes();
    let line: serde_json::Value = serde_json::from_str(&writes[0]).unwrap();
    assert_eq!(line["http.request.id"], "abc");
    assert_eq!(line["fields"]["message"], "from the log crate");
}

#[test]
fn a_key_and_a_format_are_set_in_either_order() {
    // Their first record alone would settle on the other format.
    let json = [
        ("banner\n", "banner k=abc\n"),
        ("{\"a\":1}\n", "{\"k\":\"abc\",\"a\":1}\n"),
    ];
    let text = [
        ("{\"a\":1}\n", "{\"a\":1} k=abc\n"),
        ("banner\n", "banner k=abc\n"),
    ];
    let sinks = [(); 4].map(|()| Sink::default());
    let of = |at: usize| tag(sinks[at].clone());
    let tags = [
        of(0).key("k").json(),
        of(1).json().key("k"),
        of(2).key("k").text(),
        of(3).text().key("k"),
    ];
    for ((tag, sink), records) in tags.iter().zip(&sinks).zip([json, json, text, text]) {
        for (record, _) in records {
            in_scope(|| tag.make_writer().write_all(record.as_bytes())).unwrap();
        }
        assert_eq!(sink.writes(), records.map(|(_, written)| written));
    }
}

/// It stands between quotes, and before a `=`.
#[test]
fn a_key_that_cannot_be_one_is_an_error_at_start_up() {
    for (key, reason) in [
        ("", "a key cannot be empty"),
        ("trace_id", "the key of the trace-id"),
        ("a\"b", "ASCII without quotes"),
        ("a\\", "ASCII without quotes"),
        ("a\nb", "ASCII without quotes"),
        ("a b", "ASCII without quotes"),
        ("a=b", "ASCII without quotes"),
        ("k\u{e9}y", "ASCII without quotes"),
    ] {
        let panics = || drop(tag(Sink::default()).key(key));
        let panic = std::panic::catch_unwind(panics).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains(reason) && text.contains("key"), "{text}");
    }
    let _ = tag(Sink::default()).key("@fields.correlation-ID/1");
}

#[cfg(feature = "env-filter")]
#[test]
fn a_filter_can_single_out_one_request() {
    use crate::{RID, accepted};
    use correlation_core::Policy;

    let sink = Sink::default();
    let filter: tracing_subscriber::EnvFilter =
        "info,[{correlation_id=abc}]=trace".parse().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_env_filter(filter)
        .with_writer(tag(sink.clone()));
    let work = |policy: &Policy, id: &str| {
        sync_scope(accepted(policy, &[(RID, id)]), || {
            tracing::trace!("detail of {id}");
            tracing::info!("outline of {id}");
        });
    };
    tracing::subscriber::with_default(subscriber.finish(), || {
        let policy = Policy::new().request_span(true);
        work(&policy, "abc");
        work(&policy, "def");
        work(&Policy::new(), "abc");
    });
    let lines = sink.writes();
    let messages: Vec<_> = lines
        .iter()
        .map(|line| &line[line.find("of").unwrap() - 8..])
        .collect();
    assert_eq!(lines.len(), 4, "{messages:?}");
    assert!(
        lines[0].contains("TRACE") && lines[0].contains("detail of abc"),
        "{lines:?}"
    );
    assert!(
        lines[0].contains("request{correlation_id=\"abc\"}"),
        "{lines:?}"
    );
    assert!(lines[2].contains("outline of def") && lines[3].contains("outline of abc"));
    // The field of the span is no reason to leave a line alone: a search finds the end of the line.
    for (line, id) in lines.iter().zip(["abc", "abc", "def", "abc"]) {
        assert!(
            line.ends_with(&format!(" correlation_id={id}\n")),
            "{lines:?}"
        );
    }
}
