//! Where in a record the ID goes, whichever way the record comes.

use std::io::Write;

use correlation_core::log::tagged;
use correlation_core::{Context, Policy, Tag, sync_scope, tag};
use correlation_testkit::Capture;
use tracing_subscriber::fmt::MakeWriter;

use crate::{RID, TRACE, TRACE_ID, accepted, id};

/// What a writer makes of a record in a scope, after records outside any scope.
fn written(
    setting: impl Fn(Tag<Capture>) -> Tag<Capture>,
    before: &[&str],
    context: impl Into<Context>,
    record: &str,
) -> String {
    let log = Capture::default();
    let tag = setting(tag(log.clone()));
    let write = |record: &str| tag.make_writer().write_all(record.as_bytes()).unwrap();
    before.iter().for_each(|record| write(record));
    let start = log.text().len();
    sync_scope(context, || write(record));
    log.text()[start..].to_owned()
}

fn text(record: &str) -> String {
    written(Tag::text, &[], id("abc"), record)
}

fn json(record: &str) -> String {
    written(Tag::json, &[], id("abc"), record)
}

/// What a writer and a format function make of a record after others, which settle the format.
fn after(before: &[&str], record: &str) -> String {
    let written = written(|tag| tag, before, id("abc"), record);
    let format = tagged(|out, record| write!(out, "{}", record.args()));
    let formatted = |record: &str| {
        let mut out = Vec::new();
        let mut builder = log::Record::builder();
        format(&mut out, &builder.args(format_args!("{record}")).build()).unwrap();
        String::from_utf8(out).unwrap()
    };
    before.iter().for_each(|record| drop(formatted(record)));
    assert_eq!(sync_scope(id("abc"), || formatted(record)), written);
    written
}

#[test]
fn text_has_it_at_the_end_of_every_line() {
    for (record, tagged) in [
        ("INFO done\n", "INFO done correlation_id=abc\n"),
        ("no newline", "no newline correlation_id=abc"),
        (
            "a\n\n  \nb\n",
            "a correlation_id=abc\n\n  \nb correlation_id=abc\n",
        ),
        (
            "a\r\n\r\nb",
            "a correlation_id=abc\r\n\r\nb correlation_id=abc",
        ),
        (
            "a\rb\u{2028}c\u{b}d\r\r\n",
            "a\rb\u{2028}c\u{b}d\r correlation_id=abc\r\n",
        ),
        ("", ""),
        ("{\"a\":1}\n", "{\"a\":1} correlation_id=abc\n"),
        (
            "order\n{\"correlation_id\":\"victim\"}\n",
            "order correlation_id=abc\n{\"correlation_id\":\"victim\"} correlation_id=abc\n",
        ),
    ] {
        assert_eq!(text(record), tagged);
    }
}

#[test]
fn a_line_that_ends_so_already_is_left_alone() {
    for there in [
        "a correlation_id=abc",
        "a correlation_id=abc\x1b[0m",
        "a \x1b[3mcorrelation_id\x1b[0m\x1b[2;31m=\x1b[0mabc\x1b[0m\x1b[m",
    ] {
        assert_eq!(text(there), there);
    }
    for other in [
        "correlation_id=abc",
        "a correlation_id=abc b",
        "a correlation_id=abc ",
        "a correlation_id=abc:2",
        "a correlation_id=xabc",
        "a correlation_id=\"abc\"",
        "a my_correlation_id=abc",
        "request{correlation_id=abc}",
        "a correlation_id=abc\x1b[2K",
        "a correlation_id=abc\x1b[0",
        "a correlation_id=abcm",
        "a correlation_id=",
        "m",
        "\x1b[0m",
    ] {
        assert_eq!(text(other), format!("{other} correlation_id=abc"));
    }
}

#[test]
fn json_has_it_as_first_key() {
    for (record, tagged) in [
        ("{\"a\":1}\n", "{\"correlation_id\":\"abc\",\"a\":1}\n"),
        ("{\"a\":1}", "{\"correlation_id\":\"abc\",\"a\":1}"),
        ("{}\n", "{\"correlation_id\":\"abc\"}\n"),
        ("{ }\n", "{\"correlation_id\":\"abc\" }\n"),
        ("{ \"a\":1}\n", "{\"correlation_id\":\"abc\", \"a\":1}\n"),
        (" {\"a\":1} \n", " {\"correlation_id\":\"abc\",\"a\":1} \n"),
        (
            "@cee: {\"a\":1}\n",
            "@cee: {\"correlation_id\":\"abc\",\"a\":1}\n",
        ),
        (
            "\u{feff}{\"a\":1}\n",
            "\u{feff}{\"correlation_id\":\"abc\",\"a\":1}\n",
        ),
        (
            "{\n  \"a\": {\n    \"b\": [1, 2]\n  }\n}\n",
            "{\"correlation_id\":\"abc\",\n  \"a\": {\n    \"b\": [1, 2]\n  }\n}\n",
        ),
        (
            "{\"a\":\"}{\"}\r\n{\"b\":2}{\"c\":3}\n",
            "{\"correlation_id\":\"abc\",\"a\":\"}{\"}\r\n{\"correlation_id\":\"abc\",\"b\":2}\
             {\"correlation_id\":\"abc\",\"c\":3}\n",
        ),
        (
            "{\"a\":\"x\\\"}\\n{\\\"correlation_id\\\":\"}\n",
            "{\"correlation_id\":\"abc\",\"a\":\"x\\\"}\\n{\\\"correlation_id\\\":\"}\n",
        ),
    ] {
        assert_eq!(json(record), tagged);
        assert_eq!(after(&[], record), tagged);
    }
}

#[test]
fn what_is_no_object_is_text_and_settles_nothing_in_a_json_writer() {
    let cut = "{\"a\":1,\n";
    for banner in [
        "Listening",
        "{not json}",
        "{",
        "[1]",
        "\"a\"",
        cut,
        "{\"a\":\"b\n",
        "{\"a\"]\n",
    ] {
        let line = banner.trim_end();
        let tagged = json(&format!("{line}\n{{\"b\":2}}\n"));
        let expected =
            format!("{line} correlation_id=abc\n{{\"correlation_id\":\"abc\",\"b\":2}}\n");
        assert_eq!(tagged, expected);
        assert_eq!(json(line), format!("{line} correlation_id=abc"));
    }
    assert_eq!(
        json("{\"a\":1} tail\n"),
        "{\"correlation_id\":\"abc\",\"a\":1} tail correlation_id=abc\n"
    );
}

#[test]
fn the_first_record_settles_the_format() {
    for first in [
        "INFO\n",
        "{\"a\":1} and more\n",
        "{not json}\n",
        "{\"a\":1",
        "{\"a\":\n,\"\n",
    ] {
        let tagged = after(&["\n", first], "{\"b\":2}\n");
        assert_eq!(tagged, "{\"b\":2} correlation_id=abc\n", "{first}");
    }
    let objects = [" \n\n{\"a\":1}\n"];
    let tagged = "{\"correlation_id\":\"abc\",\"b\":2}\n";
    assert_eq!(after(&objects, "{\"b\":2}\n"), tagged);
    assert_eq!(after(&objects, "text\n"), "text correlation_id=abc\n");
    assert_eq!(after(&[objects[0], "text\n"], "{\"b\":2}\n"), tagged);
}

/// Nor can a message with a line break in it, in a clone of the writer.
#[test]
fn no_message_changes_the_format() {
    let log = Capture::default();
    let tag = tag(log.clone());
    let clone = tag.clone();
    tag.make_writer().write_all(b"INFO started\n").unwrap();
    let forged = b"order\n{\"correlation_id\":\"victim\",\"level\":\"ERROR\"}\n";
    sync_scope(id("abc"), || clone.make_writer().write_all(forged)).unwrap();
    assert_eq!(
        log.text(),
        "INFO started\norder correlation_id=abc\n\
         {\"correlation_id\":\"victim\",\"level\":\"ERROR\"} correlation_id=abc\n"
    );
}

#[test]
fn a_key_that_an_object_has_itself_is_not_written_again() {
    for there in [
        "{\"correlation_id\":\"x\"}\n",
        "{\"a\":{\"b\":[1]},\"correlation_id\":null}\n",
        "{\"correlation_id\" : \"x\"}\n",
        "{\"a\":1,\n \"correlation_id\"\t:1}\n",
        "{\"correlation_id\"\x1b[0m:\"x\"}\n",
    ] {
        assert_eq!(json(there), there);
    }
    for other in [
        r#""span":{"correlation_id":"x"}"#,
        r#""message":"\"correlation_id\":\"x\"""#,
        r#""message":"{\"correlation_id\":","n":{"correlation_id":1}"#,
        r#""a":"\\","list":[{"correlation_id":"x"}]"#,
        r#""a":"correlation_id""#,
        r#""a":"correlation_id","b":1"#,
        "\"a\":\x1b[31m\"correlation_id\"\x1b[0m,\"b\":1",
    ] {
        assert_eq!(
            json(&format!("{{{other}}}\n")),
            format!("{{\"correlation_id\":\"abc\",{other}}}\n")
        );
    }
}

#[test]
fn the_trace_stands_beside_it() {
    let request = accepted(&Policy::new(), &[("traceparent", TRACE), (RID, "abc")]);
    let text = |record| written(|tag| tag.key("id").text(), &[], request.clone(), record);
    assert_eq!(
        text("one\ntwo id=abc\n"),
        format!("one trace_id={TRACE_ID} id=abc\ntwo id=abc\n")
    );
    let json = |record| written(|tag| tag.json().key("id"), &[], request.clone(), record);
    assert_eq!(
        json("{\"a\":1}\n{\"trace_id\":1}"),
        format!(
            "{{\"id\":\"abc\",\"trace_id\":\"{TRACE_ID}\",\"a\":1}}\n\
             {{\"id\":\"abc\",\"trace_id\":1}}"
        )
    );
}

/// In text each line has the pair, or a message could forge one. So what is added grows with the
/// number of lines: it has no other bound. JSON adds one pair a record.
#[test]
fn what_is_added_grows_with_the_lines_of_text_and_with_nothing_else() {
    let uuid = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
    let pair = " correlation_id=".len() + uuid.len();
    for lines in [1, 1_000, 100_000] {
        let message = "a\n".repeat(lines);
        let text = written(Tag::text, &[], id(uuid), &message);
        assert_eq!(text.len(), message.len() + lines * pair);
        assert_eq!(text.len(), 27 * message.len());
        // What is blank forges nothing.
        let blank = " \n".repeat(lines);
        assert_eq!(written(Tag::text, &[], id(uuid), &blank), blank);
        let object = format!("{{\"message\":\"{}\"}}\n", "a\\n".repeat(lines));
        let json = written(Tag::json, &[], id(uuid), &object);
        assert_eq!(
            json.len(),
            object.len() + pair + "\"\"\"\",".len() - " ".len()
        );
    }
    // The most that an ID can make of it: 255 bytes, and a trace beside it.
    let longest = Policy::new().max_len(255);
    let long = "x".repeat(255);
    let context = accepted(&longest, &[(RID, &long), ("traceparent", TRACE)]);
    let text = written(Tag::text, &[], context, "a\n");
    assert_eq!(
        text.len(),
        2 + " correlation_id=".len() + 255 + " trace_id=".len() + 32
    );
}

#[test]
fn a_writer_that_is_wrapped_twice_writes_it_once() {
    for (record, tagged) in [
        ("INFO done\n", "INFO done correlation_id=abc\n"),
        ("{\"a\":1}\n", "{\"correlation_id\":\"abc\",\"a\":1}\n"),
    ] {
        let log = Capture::default();
        let twice = tag(tag(log.clone()));
        let write = || twice.make_writer().write_all(record.as_bytes());
        sync_scope(id("abc"), write).unwrap();
        assert_eq!(log.text(), tagged);
    }
}

/// An object that breaks off is text up to the line in which it does, however it comes.
#[test]
fn what_follows_a_broken_object_is_looked_at_anew() {
    let json = |pieces: &[&str]| {
        let log = Capture::default();
        let mut writer = correlation_core::log::log_writer(log.clone()).json();
        sync_scope(id("abc"), || {
            pieces
                .iter()
                .for_each(|piece| writer.write_all(piece.as_bytes()).unwrap());
        });
        drop(writer);
        log.text()
    };
    let tagged = "{\"abcdef\" correlation_id=abc\n{\"correlation_id\":\"abc\"}\n\
                  {\"correlation_id\":\"abc\",\"b\":1}\n";
    let rest = "\"\n{}\n{\"b\":1}\n";
    assert_eq!(json(&["{\"abcdef", rest]), tagged);
    assert_eq!(json(&[&format!("{{\"abcdef{rest}")]), tagged);
    // The line that breaks it belongs to it.
    assert_eq!(
        json(&["{\"k\":\n {\"a\":1},\"b\n"]),
        "{\"k\": correlation_id=abc\n {\"a\":1},\"b correlation_id=abc\n"
    );
}

/// A record of which the end is missing costs no other record its ID. It has come to a key, a value
/// or into an array, which may be deep.
#[test]
fn a_record_that_is_cut_costs_no_other_its_id() {
    for cut in [
        "{\"msg\":",
        "{\"msg\":\"x\",\"fields\":{",
        "{\"msg\":\"x\",\"fields\":{\"a\":1",
        "{\"msg\":\"x\",\"fields\":{\"a\":{\"b\":",
        "{\"x\":[",
        "{\"x\":[1,",
        "{\"x\":[[{",
    ] {
        for flushes in [true, false] {
            let log = Capture::default();
            let mut writer = correlation_core::log::log_writer(log.clone()).json();
            let mut record = |scope: &str, text: &str| {
                sync_scope(id(scope), || {
                    let middle = text.len() / 2;
                    writer.write_all(&text.as_bytes()[..middle]).unwrap();
                    writer.write_all(&text.as_bytes()[middle..]).unwrap();
                    writer.write_all(b"\n").unwrap();
                    if flushes {
                        writer.flush().unwrap();
                    }
                });
            };
            record("req-1", "{\"msg\":\"fine\"}");
            record("req-2", cut);
            record("req-3", "{\"msg\":\"fine\"}");
            record("req-4", "{\"msg\":{\"a\":[{\"b\":1}]}}");
            drop(writer);
            let lines = log.text();
            let [first, second, third, fourth] = lines.lines().collect::<Vec<_>>()[..] else {
                panic!("{lines}");
            };
            assert_eq!(first, "{\"correlation_id\":\"req-1\",\"msg\":\"fine\"}");
            assert!(
                second.contains("req-2") && second.contains(&cut[1..]),
                "{second}"
            );
            assert_eq!(third, "{\"correlation_id\":\"req-3\",\"msg\":\"fine\"}");
            assert_eq!(
                fourth,
                "{\"correlation_id\":\"req-4\",\"msg\":{\"a\":[{\"b\":1}]}}"
            );
        }
    }
}

/// Text between braces is no object because of what stands in it.
#[test]
fn the_key_counts_only_in_json() {
    for text in [
        "{\"correlation_id\":\"victim\"} paid }",
        "{\"correlation_id\":\"victim\" paid 5 EUR}",
        "{\"correlation_id\":\"victim\",}",
        "{\"correlation_id\":victim}",
        "{\"correlation_id\":\"victim\",\"a\":[1}}",
        "{\"correlation_id\":\"victim\",\"a\":1.2.3}",
        "{\"correlation_id\":\"victim\",\"a\"}",
        "{\"correlation_id\":\"victim\",\"a\":\"\t\"}",
        "{\"correlation_id\":\"victim\"}{",
    ] {
        let tagged = json(&format!("{text}\n"));
        let has = tagged.starts_with("{\"correlation_id\":\"abc\",")
            || tagged.ends_with(" correlation_id=abc\n");
        assert!(has, "{text} {tagged}");
    }
    for object in [
        "{\"correlation_id\":\"own\"}",
        "{ \"a\" : [ ] , \"correlation_id\" : null , \"b\" : { } }",
        "{\"a\":[1,-2.5e+3,true,false,null,\"\\\"\\\\\",{\"b\":[[]]}],\"correlation_id\":\"own\"}",
        "{\"\u{1b}[2ma\u{1b}[0m\":1,\u{1b}[1m\"correlation_id\":\"own\"\u{1b}[0m}",
    ] {
        let record = format!("{object}\n");
        assert_eq!(json(&record), record);
    }
}

/// All writers of one tag have one format. What is unfinished has it as well.
#[test]
fn another_writer_can_settle_the_format_meanwhile() {
    let log = Capture::default();
    let tag = tag(log.clone());
    sync_scope(id("abc"), || {
        let mut unfinished = tag.make_writer();
        unfinished.write_all(b"{\"a\":").unwrap();
        tag.make_writer().write_all(b"text\n").unwrap();
        unfinished.flush().unwrap();
        unfinished.write_all(b"1}\n").unwrap();
    });
    assert_eq!(
        log.text(),
        "text correlation_id=abc\n{\"a\":1} correlation_id=abc\n"
    );
}

/// Wherever on its line it stands, and whether the beginning of the one before it is written.
#[test]
fn a_record_after_one_that_is_cut_may_be_indented() {
    let json = |flushes: bool, next: &str| {
        let log = Capture::default();
        let mut writer = correlation_core::log::log_writer(log.clone()).json();
        sync_scope(id("abc"), || {
            writer.write_all(b"{\"a\":1").unwrap();
            if flushes {
                writer.flush().unwrap();
            }
            writer.write_all(next.as_bytes()).unwrap();
        });
        drop(writer);
        log.text()
    };
    let (held, written) = ("{\"a\":1", "{\"correlation_id\":\"abc\",\"a\":1");
    for blanks in ["", " ", "\t  "] {
        let next = format!("\n{blanks}{{\"b\":2}}\n");
        let tagged = format!("\n{blanks}{{\"correlation_id\":\"abc\",\"b\":2}}\n");
        let text = format!("{held} correlation_id=abc{tagged}");
        assert_eq!(json(false, &next), text);
        assert_eq!(json(true, &next), format!("{written}{tagged}"));
    }
    // On the same line, it is a part of that line.
    for (flushes, begin) in [(false, held), (true, written)] {
        let text = format!("{begin} {{\"b\":2}} correlation_id=abc\n");
        assert_eq!(json(flushes, " {\"b\":2}\n"), text);
    }
}
