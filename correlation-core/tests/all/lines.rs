//! What a writer of lines promises, whatever is written, however it is cut, and whatever the inner
//! writer does.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use correlation_core::log::log_writer;
use correlation_core::sync_scope;
use correlation_testkit::Capture;
use correlation_testkit::json::Members;
use proptest::prelude::*;

use crate::id;

const LIMIT: usize = 64 * 1024;

fn in_scope<R>(scope: Option<&str>, f: impl FnOnce() -> R) -> R {
    match scope {
        Some(text) => sync_scope(id(text), f),
        None => f(),
    }
}

/// Does what it is told: takes so many bytes, or fails.
#[derive(Clone, Default)]
struct Moody {
    written: Rc<RefCell<Vec<u8>>>,
    moods: Rc<RefCell<Vec<Mood>>>,
}

#[derive(Clone, Copy, Debug)]
enum Mood {
    Takes(usize),
    Fails,
    Interrupted,
    TakesNone,
}

impl Write for Moody {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = match self.moods.borrow_mut().pop() {
            Some(Mood::Fails) => return Err(ErrorKind::BrokenPipe.into()),
            Some(Mood::Interrupted) => return Err(ErrorKind::Interrupted.into()),
            Some(Mood::TakesNone) => 0,
            Some(Mood::Takes(some)) => some.min(bytes.len()),
            None => bytes.len(),
        };
        self.written.borrow_mut().extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One call of a writer: in which scope, with which bytes.
#[derive(Clone, Debug)]
enum Call {
    Write(Option<usize>, Vec<u8>),
    Flush,
}

const IDS: [&str; 3] = ["abc", "abcd", "5cb8"];

/// Writes as whoever gives up on no error: with each, nothing was accepted.
fn write(mut writer: impl Write, calls: &[Call]) {
    for call in calls {
        match call {
            Call::Flush => while writer.flush().is_err() {},
            Call::Write(scope, bytes) => in_scope(scope.map(|n| IDS[n]), || {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    if let Ok(taken) = writer.write(rest) {
                        rest = &rest[taken..];
                    }
                }
            }),
        }
    }
}

fn model(calls: &[Call]) -> Vec<u8> {
    // Each byte with the scope in which it was written; `None` for a flush.
    let mut bytes = Vec::new();
    for call in calls {
        match call {
            Call::Write(scope, piece) => {
                bytes.extend(piece.iter().map(|byte| (Some(*byte), *scope)));
            }
            Call::Flush => bytes.push((None, None)),
        }
    }
    let mut out = Vec::new();
    for line in bytes.split_inclusive(|(byte, _)| *byte == Some(b'\n')) {
        let text: Vec<u8> = line.iter().filter_map(|(byte, _)| *byte).collect();
        let body = text.strip_suffix(b"\n").unwrap_or(&text);
        let crlf = text.ends_with(b"\r\n");
        let body = &body[..body.len() - usize::from(crlf)];
        out.extend_from_slice(body);
        let first = line.iter().position(|(byte, _)| byte.is_some());
        if let Some(id) = first.and_then(|at| line[at].1).map(|n| IDS[n]) {
            let pair = format!(" correlation_id={id}");
            // The beginning of the line is out already, and not looked at again.
            let after = line[first.unwrap_or(0)..].iter().take(body.len() + 2);
            let flushed = after.clone().any(|(byte, _)| byte.is_none());
            let there = body.ends_with(pair.as_bytes()) && !flushed;
            if !body.trim_ascii().is_empty() && !there {
                out.extend_from_slice(pair.as_bytes());
            }
        }
        out.extend_from_slice(&text[body.len()..]);
    }
    out
}

fn moods() -> impl Strategy<Value = Vec<Mood>> {
    proptest::collection::vec(
        prop_oneof![
            (1_usize..9).prop_map(Mood::Takes),
            Just(Mood::Fails),
            Just(Mood::Interrupted),
            Just(Mood::TakesNone),
        ],
        0..60,
    )
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let part = prop_oneof![
        4 => "[a-z{}\":, ]{0,6}".prop_map(String::into_bytes),
        4 => Just(b"\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => Just(b" correlation_id=abc".to_vec()),
        1 => Just(b"\n{\"correlation_id\":\"victim\",\"level\":\"ERROR\"}\n".to_vec()),
        1 => Just(b"\x1b[0m\xff\0".to_vec()),
        1 => Just(vec![b'x'; LIMIT / 2]),
    ];
    let call = prop_oneof![
        9 => (proptest::option::of(0..IDS.len()), part).prop_map(|(scope, part)| Call::Write(scope, part)),
        1 => Just(Call::Flush),
    ];
    proptest::collection::vec(call, 0..40)
}

fn written<W: Write>(moods: Vec<Mood>, make: impl FnOnce(Moody) -> W, calls: &[Call]) -> Vec<u8> {
    let inner = Moody {
        moods: Rc::new(RefCell::new(moods)),
        ..Moody::default()
    };
    let mut writer = make(inner.clone());
    write(&mut writer, calls);
    // What fails while the writer is dropped, nobody can repeat.
    let harmless = |mood: &Mood| matches!(mood, Mood::Takes(_) | Mood::Interrupted);
    inner.moods.borrow_mut().retain(harmless);
    drop(writer);
    inner.written.take()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_ends_with_the_id_of_the_scope_in_which_its_line_began(
        calls in calls(),
        moods in moods(),
    ) {
        let written = written(moods, |inner| log_writer(inner).text(), &calls);
        // A line of more than the limit is let out early, as by a flush.
        if calls.iter().all(|call| !matches!(call, Call::Write(_, bytes) if bytes.len() >= LIMIT / 2)) {
            let model = model(&calls);
            prop_assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&model));
        }
        check_text(&calls, &written)?;
    }

    #[test]
    fn objects_stay_objects_with_the_id_of_the_scope_in_which_they_began(
        records in proptest::collection::vec((object(), proptest::option::of(0..IDS.len())), 1..8),
        cuts in proptest::collection::vec(1_usize..30, 1..20),
        moods in moods(),
        flushes in proptest::bool::ANY,
    ) {
        let mut calls = Vec::new();
        for (text, scope) in &records {
            let mut rest = text.as_bytes();
            for cut in cuts.iter().cycle() {
                let (piece, then) = rest.split_at(rest.len().min(*cut));
                calls.push(Call::Write(*scope, piece.to_vec()));
                rest = then;
                if rest.is_empty() { break; }
            }
            if flushes { calls.push(Call::Flush); }
        }
        let written = String::from_utf8(written(moods, log_writer, &calls)).unwrap();
        let plain = |text: &str| text.replace(['\u{feff}'], "").replace("@cee:", "");
        let plain_output = plain(&written);
        let objects = serde_json::Deserializer::from_str(&plain_output).into_iter::<Members>();
        let objects: Vec<_> = objects.map(Result::unwrap).collect();
        prop_assert_eq!(objects.len(), records.len(), "{}", written);
        for (Members(mut members), (text, scope)) in objects.into_iter().zip(&records) {
            let Members(before) = serde_json::from_str(&plain(text)).unwrap();
            let key = |(name, _): &(String, _)| name == "correlation_id";
            if let Some(scope) = scope && !before.iter().any(key) {
                let first = members.remove(0);
                prop_assert_eq!(first, ("correlation_id".to_owned(), IDS[*scope].into()));
            }
            prop_assert_eq!(members, before);
        }
    }
}

fn object() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i32>().prop_map(serde_json::Value::from),
        "[a-z{}\\[\\]\":,\\\\\\n ]{0,8}".prop_map(serde_json::Value::from),
        Just("correlation_id".into()),
    ];
    let name = prop_oneof![3 => "[a-z{}\":\\\\]{0,4}", 1 => Just("correlation_id".to_owned())];
    let value = leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::hash_map(name.clone(), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    let name = prop_oneof![9 => "[a-z{}\":\\\\]{0,4}", 1 => Just("correlation_id".to_owned())];
    let members = proptest::collection::hash_map(name, value, 0..4);
    let around = (
        prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\u{feff}"), 1 => Just("@cee: "), 1 => Just("\n")],
        prop_oneof![4 => Just("\n"), 1 => Just(""), 1 => Just(" \r\n")],
    );
    (members, around, any::<bool>()).prop_map(|(members, (before, after), pretty)| {
        let object = serde_json::Value::Object(members.into_iter().collect());
        let text = if pretty {
            serde_json::to_string_pretty(&object)
        } else {
            serde_json::to_string(&object)
        };
        format!("{before}{}{after}", text.unwrap())
    })
}

/// What holds of lines of any length: nothing is lost, and each ends as it should.
fn check_text(calls: &[Call], written: &[u8]) -> Result<(), TestCaseError> {
    let mut input = Vec::new();
    let mut scopes = Vec::new();
    for call in calls {
        if let Call::Write(scope, bytes) = call {
            input.extend_from_slice(bytes);
            scopes.extend(bytes.iter().map(|_| *scope));
        }
    }
    let mut start = 0;
    let mut lines = written.split_inclusive(|byte| *byte == b'\n');
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        let tagged = lines.next().unwrap_or_default();
        let body = |line: &[u8]| {
            let body = line
                .strip_suffix(b"\n")
                .map(|body| body.strip_suffix(b"\r").unwrap_or(body));
            body.unwrap_or(line).to_vec()
        };
        let (body, tagged) = (body(line), body(tagged));
        let added = tagged.strip_prefix(&body[..]);
        match scopes[start].map(|n| format!(" correlation_id={}", IDS[n])) {
            Some(pair) if !body.trim_ascii().is_empty() => {
                prop_assert!(tagged.ends_with(pair.as_bytes()), "{tagged:?}");
                prop_assert!(
                    added == Some(b"") || added == Some(pair.as_bytes()),
                    "{tagged:?}"
                );
            }
            _ => prop_assert_eq!(added, Some(&b""[..])),
        }
        start += line.len();
    }
    prop_assert_eq!(lines.next(), None);
    Ok(())
}

#[test]
fn what_is_held_is_bounded() {
    for json in [false, true] {
        let inner = Moody::default();
        let writer = log_writer(inner.clone());
        let mut writer = if json { writer.json() } else { writer.text() };
        in_scope(Some("abc"), || {
            let mut sent = 0;
            writer
                .write_all(if json { b"{\"a\":\"" } else { b"a" })
                .unwrap();
            for _ in 0..100 {
                writer.write_all(&[b'x'; 10_000]).unwrap();
                sent += 10_000;
                assert!(sent - inner.written.borrow().len().min(sent) <= LIMIT);
            }
            writer
                .write_all(if json {
                    b"\",\"correlation_id\":1}\n"
                } else {
                    b"\r"
                })
                .unwrap();
        });
        in_scope(Some("other"), || writer.write_all(b"\n").unwrap());
        drop(writer);
        let written = String::from_utf8(inner.written.take()).unwrap();
        let expected = match json {
            true => (
                r#"{"correlation_id":"abc","a":"xxx"#,
                "x\",\"correlation_id\":1}\n\n",
            ),
            false => ("axxx", "xxx correlation_id=abc\r\n"),
        };
        assert!(
            written.starts_with(expected.0) && written.ends_with(expected.1),
            "{}",
            &written[written.len() - 60..]
        );
        assert_eq!(
            written.matches("correlation_id").count(),
            1 + usize::from(json)
        );
    }
}

/// A `{` and blanks may begin an object for as long as they go on.
#[test]
fn what_may_begin_an_object_is_bounded_too() {
    let inner = Moody::default();
    let mut writer = log_writer(inner.clone());
    writer.write_all(b"{").unwrap();
    for sent in 1..=10 {
        writer.write_all(&[b' '; 10_000]).unwrap();
        assert!(1 + sent * 10_000 - inner.written.borrow().len() <= LIMIT);
    }
}

/// As a logger that tries again, or counts its errors, expects it.
#[test]
fn a_whole_record_of_which_nothing_was_taken_is_an_error() {
    let inner = Moody::default();
    let mut writer = log_writer(inner.clone()).text();
    inner.moods.borrow_mut().push(Mood::Fails);
    let error = in_scope(Some("abc"), || writer.write(b"line\n")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    in_scope(Some("abc"), || writer.write_all(b"line\n")).unwrap();
    assert_eq!(inner.written.take(), b"line correlation_id=abc\n");
}

/// No more is accepted than may be held. What ends in a piece makes room.
#[test]
fn a_long_piece_is_taken_in_parts() {
    let inner = Moody::default();
    let mut writer = log_writer(inner.clone());
    writer.write_all(b"{ ").unwrap();
    assert_eq!(writer.write(&[b' '; 2 * LIMIT]).unwrap(), LIMIT - 2);

    let inner = Moody::default();
    let mut writer = log_writer(inner.clone()).json();
    let object = b"{\"n\":1,\"correlation_id\":\"own\"}\n";
    let objects = object.repeat(3 * LIMIT / object.len());
    in_scope(Some("abc"), || writer.write_all(&objects).unwrap());
    assert_eq!(inner.written.take(), objects, "no key is added");
}

#[test]
fn a_flush_that_failed_is_tried_again_and_a_drop_is_not() {
    for moods in [&[Mood::Fails][..], &[Mood::Fails, Mood::Takes(2)]] {
        let inner = Moody::default();
        let mut writer = log_writer(inner.clone()).text();
        in_scope(Some("abc"), || writer.write_all(b"part").unwrap());
        inner.moods.borrow_mut().extend(moods);
        writer.flush().unwrap_err();
        writer.flush().unwrap();
        assert_eq!(inner.written.take(), b"part");
        inner.moods.borrow_mut().extend([Mood::Fails; 3]);
        drop(writer);
        assert_eq!(inner.moods.borrow().len(), 2);
    }
}

#[test]
fn an_object_and_its_newline_are_one_write_also_if_they_come_apart() {
    struct Pieces<'a>(&'a RefCell<Vec<String>>);
    impl Write for Pieces<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let piece = String::from_utf8(bytes.to_vec()).unwrap();
            self.0.borrow_mut().push(piece);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let pieces = RefCell::default();
    let mut writer = log_writer(Pieces(&pieces)).json();
    in_scope(Some("abc"), || {
        for piece in ["{\"a\":1}", "\n", "{\"b\":", "2}", " \n"] {
            writer.write_all(piece.as_bytes()).unwrap();
        }
    });
    drop(writer);
    let object = |member: &str| format!("{{\"correlation_id\":\"abc\",{member}}}");
    let wanted = [object("\"a\":1") + "\n", object("\"b\":2") + " \n"];
    assert_eq!(pieces.take(), wanted);
}

/// They may end in a newline. More than 256 of them would be read again and again.
#[test]
fn a_few_blanks_after_an_object_are_held_with_it() {
    let inner = Moody::default();
    let mut writer = log_writer(inner.clone()).json();
    let mut write = |piece: &str| {
        in_scope(Some("abc"), || writer.write_all(piece.as_bytes()).unwrap());
        inner.written.borrow().len()
    };
    assert_eq!(write("{\"a\":1}"), 0);
    assert_eq!(write(&" ".repeat(256)), 0);
    assert_ne!(write(" "), 0);
}

#[test]
fn blank_lines_do_not_decide_in_which_scope_a_record_begins() {
    for (record, tagged) in [
        ("{}", r#"{"correlation_id":"b"}"#),
        (r#"{"k":1}"#, r#"{"correlation_id":"b","k":1}"#),
        ("text", "text correlation_id=b"),
    ] {
        for as_json in [false, true] {
            let log = Capture::default();
            let writer = log_writer(log.clone());
            let mut writer = if as_json { writer.json() } else { writer };
            in_scope(Some("a"), || writer.write_all(b" ").unwrap());
            let piece = format!("\t\n\n {record}");
            in_scope(Some("b"), || writer.write_all(piece.as_bytes()).unwrap());
            in_scope(Some("c"), || writer.write_all(b"\n").unwrap());
            drop(writer);
            assert_eq!(log.bytes(), format!(" \t\n\n {tagged}\n").as_bytes());
        }
    }
}

#[test]
fn a_flush_lets_out_what_is_held() {
    let step = |json: bool, pieces: &[&str]| {
        let inner = Moody::default();
        let writer = log_writer(inner.clone());
        let mut writer = if json { writer.json() } else { writer.text() };
        let mut seen = Vec::new();
        for piece in pieces {
            in_scope(Some("abc"), || writer.write_all(piece.as_bytes()).unwrap());
            writer.flush().unwrap();
            seen.push(String::from_utf8(inner.written.take()).unwrap());
        }
        drop(writer);
        seen.push(String::from_utf8(inner.written.take()).unwrap());
        seen
    };
    assert_eq!(
        step(false, &["on", "e\nt", "wo", "\r", "\n", " ", "\n"]),
        [
            "on",
            "e correlation_id=abc\nt",
            "wo",
            "",
            " correlation_id=abc\r\n",
            " ",
            "\n",
            ""
        ]
    );
    assert_eq!(
        step(false, &["on", "e"]),
        ["on", "e", " correlation_id=abc"]
    );
    assert_eq!(
        step(true, &["{\"a\":", "1}", "\n{", "\"b\":2}", "\n"]),
        [
            "{\"correlation_id\":\"abc\",\"a\":",
            "1}",
            "\n",
            "{\"correlation_id\":\"abc\",\"b\":2}",
            "\n",
            ""
        ]
    );
    // Complete but for its newline: the key is looked for.
    assert_eq!(
        step(true, &["{\"correlation_id\":1}"]),
        ["{\"correlation_id\":1}", ""]
    );
}

/// What is on its way to the disk has to arrive there.
#[test]
fn a_flush_reaches_the_inner_writer_whatever_is_held() {
    struct Full(Rc<RefCell<u32>>);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            *self.0.borrow_mut() += 1;
            Err(ErrorKind::StorageFull.into())
        }
    }
    let flushed = Rc::default();
    let mut writer = log_writer(Full(Rc::clone(&flushed)));
    for (count, piece) in [(1, ""), (2, "one\n"), (3, "tw")] {
        writer.write_all(piece.as_bytes()).unwrap();
        let error = writer.flush().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert_eq!(*flushed.borrow(), count, "{piece:?}");
    }
}

#[test]
fn a_retry_after_an_error_doubles_nothing_and_loses_nothing() {
    let inner = Moody::default();
    let mut writer = log_writer(inner.clone());
    in_scope(Some("abc"), || {
        writer.write_all(b"part ").unwrap();
        inner.moods.borrow_mut().push(Mood::Fails);
        assert_eq!(
            writer.write(b"rest\n").unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        writer.write_all(b"rest\n").unwrap();
        inner
            .moods
            .borrow_mut()
            .extend([Mood::Fails, Mood::Takes(5)]);
        writer.write_all(b"next one\n").unwrap();
        writer.write_all(b"last\n").unwrap();
    });
    assert_eq!(
        String::from_utf8(inner.written.take()).unwrap(),
        "part rest correlation_id=abc\nnext one correlation_id=abc\nlast correlation_id=abc\n"
    );
}

/// `write_all` goes on after an interruption, however often one comes.
#[test]
fn an_interruption_costs_nothing() {
    let long = [vec![b'x'; 5 * LIMIT], b"\n".to_vec()].concat();
    for first in [&b""[..], b"first\n", b"part of a line, "] {
        let inner = Moody::default();
        let mut writer = log_writer(inner.clone());
        in_scope(Some("abc"), || {
            writer.write_all(first).unwrap();
            let moods = [Mood::Interrupted, Mood::Takes(512)].repeat(1000);
            inner.moods.borrow_mut().extend(moods);
            writer.write_all(&long).unwrap();
        });
        drop(writer);
        let text = String::from_utf8(inner.written.take()).unwrap();
        let all = [first, &long].concat();
        let all = String::from_utf8(all).unwrap();
        assert_eq!(text, all.replace('\n', " correlation_id=abc\n"));
    }
    // An inner writer that never ends being interrupted does not hang the program.
    let inner = Moody::default();
    inner.moods.borrow_mut().extend([Mood::Interrupted; 1000]);
    let error = log_writer(inner).write(b"line\n").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

/// As with `BufWriter`: what was accepted is still there.
#[test]
fn a_panic_of_the_inner_writer_costs_nothing_that_was_accepted() {
    struct Panics {
        takes: usize,
        inner: Moody,
    }
    impl Write for Panics {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.takes = self.takes.checked_sub(1).unwrap_or_else(|| {
                self.takes = 1000;
                panic!("once");
            });
            self.inner.write(&bytes[..1])
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for before in ["first\n", ""] {
        for (takes, doubled) in [(0, "second half\n"), (1, "")] {
            let inner = Moody::default();
            let takes = takes
                + if before.is_empty() {
                    0
                } else {
                    before.len() + 19
                };
            let mut writer = log_writer(Panics {
                takes,
                inner: inner.clone(),
            });
            in_scope(Some("abc"), || {
                writer.write_all(before.as_bytes()).unwrap();
                writer.write_all(b"first half, ").unwrap();
                let panics = AssertUnwindSafe(|| writer.write(b"second half\n"));
                assert!(catch_unwind(panics).is_err());
                // If nothing was taken, nothing of the piece was accepted.
                writer.write_all(doubled.as_bytes()).unwrap();
                writer.flush().unwrap();
            });
            drop(writer);
            let text = String::from_utf8(inner.written.take()).unwrap();
            let all = format!("{before}first half, second half\n");
            assert_eq!(text, all.replace('\n', " correlation_id=abc\n"));
        }
    }
    // In a whole record, and in a flush.
    let inner = Moody::default();
    let mut writer = log_writer(Panics {
        takes: 2,
        inner: inner.clone(),
    })
    .text();
    assert!(catch_unwind(AssertUnwindSafe(|| writer.write(b"whole\n"))).is_err());
    writer.write_all(b"part").unwrap();
    assert_eq!(inner.written.take(), b"whole\n");
    let mut writer = log_writer(Panics {
        takes: 0,
        inner: inner.clone(),
    })
    .text();
    writer.write_all(b"part").unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| writer.flush())).is_err());
    writer.write_all(b" two\n").unwrap();
    assert_eq!(inner.written.take(), b"part two\n");
}

#[test]
fn a_writer_that_is_dropped_while_unwinding_ends_no_process() {
    struct Panics<'a>(&'a Cell<u32>);
    impl Write for Panics<'_> {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            self.0.set(self.0.get() + 1);
            panic!("no space left")
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let asked = Cell::new(0);
    // Held when the record's own formatter panics.
    let record = AssertUnwindSafe(|| {
        let mut writer = log_writer(Panics(&asked));
        writer.write_all(b"part").unwrap();
        panic!("a `Display` that panics");
    });
    assert!(catch_unwind(record).is_err());
    assert_eq!(asked.take(), 1);
    // The inner writer panics: it is not asked again.
    let record = AssertUnwindSafe(|| log_writer(Panics(&asked)).write_all(b"first\nrest"));
    assert!(catch_unwind(record).is_err());
    assert_eq!(asked.take(), 1);
}
