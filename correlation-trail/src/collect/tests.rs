use super::*;

const T: &str = "2026-11-22T14:15:50.";

/// `LINE ~SECOND [MESSAGE] | CONTINUATION..` of the records of `abc`, `T` being a time.
fn told(log: &str) -> Vec<String> {
    told_in_pieces(&log.replace("T.", T), usize::MAX)
}

fn told_in_pieces(log: &str, step: usize) -> Vec<String> {
    let id = Id::new("abc");
    let mut collector = Collector::new(&id, "shop", "shop.log");
    let (mut end, mut from) = (0, 0);
    for line in log.split_inclusive('\n') {
        end += line.len();
        if end - from >= step {
            collector.add(&log.as_bytes()[..end], from);
            from = end;
        }
    }
    collector.add(log.as_bytes(), from);
    let shown = |record: &Record| {
        let time = record.time.map(|time| time.to_string());
        let time = time.map_or("?".to_owned(), |time| time[20..].replace('Z', ""));
        let mark = if record.estimated { "~" } else { "" };
        let mut line = format!("{} {mark}{time} [{}]", record.line, record.message);
        for further in &record.continuation {
            line = format!("{line} | {further}");
        }
        line
    };
    collector.finish().iter().map(shown).collect()
}

#[test]
fn others_lines_are_left_out() {
    let log = "T.1Z a id=other\nT.2Z b id=abc\nT.3Z c id=abcd\n\nT.4Z d id=abc";
    assert_eq!(told(log), ["2 2 [b]", "5 4 [d]"]);
}

#[test]
fn a_backtrace_stays_with_its_record() {
    let log = "\
        T.1Z failed correlation_id=abc\n\
        \n\
        stack backtrace:\n   0: core\n             at x.rs\n\n\nT.2Z next\n   1: not mine\n";
    assert_eq!(
        told(log),
        ["1 1 [failed] |  | stack backtrace: |    0: core |              at x.rs"]
    );
}

#[test]
fn lines_of_another_end_a_record() {
    let log = "T.1Z a correlation_id=abc\nmore\npanic correlation_id=abcd\nmore of it\n";
    assert_eq!(told(log), ["1 1 [a] | more"]);
}

#[test]
fn after_an_object_only_what_shows_that_it_belongs() {
    let object = r#"{"timestamp":"T.1Z","message":"a","correlation_id":"abc"}"#;
    let log = format!("{object}\nlistening\n{object}\nthread correlation_id=abc\n  0: x\n{object}");
    assert_eq!(
        told(&log),
        ["1 1 [a]", "3 1 [a] | thread |   0: x", "6 1 [a]"]
    );
}

#[test]
fn inner_lines_bring_the_whole_record() {
    let log = "\
        T.1Z before\n\
        \x20 T.2Z  INFO shop: pretty\n  of two lines\n    at src/x.rs:5\n    in request with id: abc\n    more\n\
        T.3Z after\n";
    assert_eq!(
        told(log),
        [
            "2 2 [pretty] |   of two lines |     at src/x.rs:5 |     in request with id: abc |     more"
        ]
    );
}

#[test]
fn inner_lines_of_another_do_not() {
    let log = "T.1Z theirs correlation_id=other\n  about abc\n";
    assert_eq!(told(log), ["2 ~1 [about abc]"]);
}

#[test]
fn lines_without_a_time_have_that_of_the_line_above() {
    let log = "T.1Z theirs\nhello abc\nand abc\nnot mine\nbye abc\n";
    assert_eq!(told(log), ["2 ~1 [hello abc] | and abc", "5 ~1 [bye abc]"]);
    // An indented line does not bring what has been told already.
    let log = "T.1Z theirs\nhello abc\nnot mine\n  inner abc\n";
    assert_eq!(told(log), ["2 ~1 [hello abc]", "4 ~1 [inner abc]"]);
}

#[test]
fn with_nothing_above_that_of_the_first_below() {
    assert_eq!(
        told("one abc\nnot mine\ntwo abc\nT.1Z three abc\n"),
        ["1 ~1 [one abc]", "3 ~1 [two abc]", "4 1 [three abc]"]
    );
    assert_eq!(told("one abc\nnot mine\n"), ["1 ? [one abc]"]);
}

#[test]
fn a_record_has_an_end() {
    let log = format!("T.1Z a abc\n{}", "endless\n".repeat(1_000));
    assert_eq!(told(&log)[0].matches(" | ").count(), MOST_LINES);
    let log = format!("T.1Z a abc\n{}end", "\n".repeat(1_000));
    assert_eq!(told(&log), ["1 1 [a abc]"]);
}

#[test]
fn where_the_pieces_are_cut_does_not_matter() {
    let log = "\
        T.1Z a abc\n  b\n\n  c\nT.2Z theirs\n   abc\n  d\nT.3Z theirs\nmine abc\nother\nT.4Z e abc\n"
        .repeat(3)
        .replace("T.", T);
    let whole = told_in_pieces(&log, usize::MAX);
    assert_eq!(whole.len(), 12);
    for step in [1, 10, 50, 100] {
        assert_eq!(told_in_pieces(&log, step), whole, "{step}");
    }
}

#[test]
fn containers_and_colours_are_seen_through() {
    let log = "\
        T.1Z stdout F one abc\n\
        {\"log\":\"\\u001b[0mabc two\\n\",\"stream\":\"stdout\",\"time\":\"T.2Z\"}\n\
        shop-1  | \x1b[2mT.3Z\x1b[0m three \x1b[3mid\x1b[0m\x1b[2m=\x1b[0mabc\r\n";
    assert_eq!(told(log), ["1 1 [one abc]", "2 2 [abc two]", "3 3 [three]"]);
}

#[test]
fn in_a_container_each_line_has_a_time() {
    let plain = "T.1Z stdout F one abc\nT.2Z stdout F not mine\nT.3Z stderr F   indented\n";
    assert_eq!(told(plain), ["1 1 [one abc]"]);
    let timed = "\
        T.2Z stderr F T.1Z ERROR failed abc\n\
        T.3Z stderr F why\n\
        T.4Z stderr F T.4Z  INFO not mine\n";
    assert_eq!(told(timed), ["1 1 [failed abc] | why"]);
}
