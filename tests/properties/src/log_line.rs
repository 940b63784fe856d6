use std::io::Write;

use correlation_core::log::log_writer;
use correlation_core::{sync_scope, tag};
use correlation_testkit::json::members;
use correlation_testkit::{Capture, id};
use tracing_subscriber::fmt::MakeWriter;

use crate::contains;

/// What a logger writes, in pieces and in scopes that change: nothing is lost or changes its order,
/// and each record has the ID of the scope in which it began, once.
///
/// The first byte is the format: `t` text, `j` JSON, any other as the first record says. The bytes 1
/// to 4 begin a piece in a scope of their own, 1 in none. 5 is a flush, 6 begins a piece.
pub fn log_line(data: &[u8]) {
    let Some((&format, data)) = data.split_first() else {
        return;
    };
    let calls = calls(data);
    let written = written(format, &calls);
    let lines = lines(&calls);
    let input: Vec<_> = lines.iter().flat_map(|(line, _)| line.clone()).collect();
    assert!(
        is_input_with_additions(&input, &written),
        "{}",
        written.escape_ascii()
    );

    // What is half an object is read in another way where it comes whole.
    let flushes = has_flush(&calls);
    let is_clear = match format {
        b't' => true,
        // Blanks that are flushed may come before an object: then no record has begun.
        _ if flushes => lines.iter().all(|(line, _)| is_object(line)),
        b'j' => lines
            .iter()
            .all(|(line, _)| is_object(line) || is_text(line)),
        _ => {
            let first = lines.iter().find(|(line, _)| !line.trim_ascii().is_empty());
            first.is_none_or(|(line, _)| is_text(line))
                || lines.iter().all(|(line, _)| is_object(line))
        }
    };
    if !is_clear {
        return;
    }
    let is_json = format == b'j' || lines.first().is_some_and(|(line, _)| is_object(line));
    check(&lines, &written, is_json && format != b't', flushes);

    // The size of the pieces does not matter.
    if !flushes {
        let whole = self::written(format, &joined(&calls));
        let [written, whole] = [written, whole].map(|log| log.escape_ascii().to_string());
        assert_eq!(written, whole);
    }
    each_record_has_a_writer(format, &lines);
}

const IDS: [&str; 3] = ["abc", "abcd", "5cb8"];

type Scope = Option<&'static str>;

enum Call {
    Write(Scope, Vec<u8>),
    Flush,
}

fn calls(data: &[u8]) -> Vec<Call> {
    let (mut calls, mut scope) = (Vec::new(), Some(IDS[0]));
    for piece in data.chunk_by(|_, next| !(1..=6).contains(next)) {
        let (&first, rest) = piece.split_first().unwrap_or((&6, b""));
        match first {
            1..=4 => scope = usize::from(first).checked_sub(2).map(|at| IDS[at]),
            5 => calls.push(Call::Flush),
            6 => {}
            _ => {
                calls.push(Call::Write(scope, piece.to_vec()));
                continue;
            }
        }
        calls.push(Call::Write(scope, rest.to_vec()));
    }
    calls
}

fn has_flush(calls: &[Call]) -> bool {
    calls.iter().any(|call| matches!(call, Call::Flush))
}

/// The same with one call for each scope.
fn joined(calls: &[Call]) -> Vec<Call> {
    let mut joined: Vec<Call> = Vec::new();
    for call in calls {
        match (joined.last_mut(), call) {
            (Some(Call::Write(last, bytes)), Call::Write(scope, more)) if last == scope => {
                bytes.extend(more);
            }
            (_, Call::Write(scope, bytes)) => joined.push(Call::Write(*scope, bytes.clone())),
            (_, Call::Flush) => joined.push(Call::Flush),
        }
    }
    joined
}

/// The lines with the scopes in which they begin.
fn lines(calls: &[Call]) -> Vec<(Vec<u8>, Scope)> {
    let mut lines: Vec<(Vec<u8>, Scope)> = Vec::new();
    for call in calls {
        let Call::Write(scope, bytes) = call else {
            continue;
        };
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            match lines.last_mut() {
                Some((line, _)) if !line.ends_with(b"\n") => line.extend(part),
                _ => lines.push((part.to_vec(), *scope)),
            }
        }
    }
    lines
}

fn in_scope(scope: Scope, f: impl FnOnce()) {
    match scope {
        Some(text) => sync_scope(id(text), f),
        None => f(),
    }
}

fn written(format: u8, calls: &[Call]) -> Vec<u8> {
    let log = Capture::default();
    let writer = log_writer(log.clone());
    let mut writer = match format {
        b't' => writer.text(),
        b'j' => writer.json(),
        _ => writer,
    };
    for call in calls {
        match call {
            Call::Write(scope, bytes) => in_scope(*scope, || writer.write_all(bytes).unwrap()),
            Call::Flush => writer.flush().unwrap(),
        }
    }
    drop(writer);
    log.bytes()
}

/// Where a `tracing` writer makes one for each record, scopes are those of the records.
fn each_record_has_a_writer(format: u8, lines: &[(Vec<u8>, Scope)]) {
    let log = Capture::default();
    let tag = tag(log.clone());
    let tag = match format {
        b'j' => tag.json(),
        _ => tag.text(),
    };
    for (line, scope) in lines {
        in_scope(*scope, || tag.make_writer().write_all(line).unwrap());
    }
    check(lines, &log.bytes(), format == b'j', false);
}

/// Each object has the ID in front, unless it has the key itself. Each line of text that is not
/// blank ends with it. All else is as it came.
fn check(lines: &[(Vec<u8>, Scope)], written: &[u8], is_json: bool, flushed: bool) {
    let mut rest = written;
    for (line, scope) in lines {
        rest = match object(line).filter(|_| is_json) {
            Some(members) => check_object(line, &members, *scope, rest, flushed),
            None => check_text(line, *scope, rest),
        };
    }
    assert_eq!(rest, b"");
}

/// Gives what comes after the line.
fn check_text<'w>(line: &[u8], scope: Scope, written: &'w [u8]) -> &'w [u8] {
    let body = match line {
        [body @ .., b'\r', b'\n'] | [body @ .., b'\n'] => body,
        body => body,
    };
    let mut rest = written.strip_prefix(body).expect("the line");
    if let Some(id) = scope.filter(|_| !body.trim_ascii().is_empty()) {
        let pair = format!(" correlation_id={id}");
        match rest.strip_prefix(pair.as_bytes()) {
            Some(after) => rest = after,
            None => assert!(
                without_colours(body).ends_with(&pair),
                "{}",
                body.escape_ascii()
            ),
        }
    }
    rest.strip_prefix(&line[body.len()..]).expect("its end")
}

/// The same of an object.
fn check_object<'w>(
    line: &[u8],
    before: &Members,
    scope: Scope,
    written: &'w [u8],
    flushed: bool,
) -> &'w [u8] {
    let end = written.iter().position(|&byte| byte == b'\n');
    let (tagged, rest) = written.split_at(end.map_or(written.len(), |at| at + 1));
    let has_key = before.iter().any(|(key, _)| key == "correlation_id");
    // Nobody escapes the key.
    if has_key && !contains(line, b"\"correlation_id\"") {
        return rest;
    }
    let mut after = object(tagged).expect("still an object");
    // What goes out early has the ID, whatever comes behind it.
    if let Some(id) = scope.filter(|_| !has_key || flushed && after.len() > before.len()) {
        assert_eq!(after.remove(0), ("correlation_id".to_owned(), id.into()));
    }
    assert_eq!(&after, before);
    rest
}

fn without_colours(body: &[u8]) -> String {
    let mut plain = String::new();
    for part in String::from_utf8_lossy(body).split("\x1b[") {
        let code = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        plain.push_str(code.strip_prefix('m').unwrap_or(part));
    }
    plain
}

type Members = Vec<(String, serde_json::Value)>;

fn object(line: &[u8]) -> Option<Members> {
    members(str::from_utf8(line).ok()?).ok()
}

fn is_object(line: &[u8]) -> bool {
    line.starts_with(b"{") && object(line).is_some()
}

/// Whether it can be no part of an object.
fn is_text(line: &[u8]) -> bool {
    !line.contains(&b'{') && !contains(line, b"@cee:") && !contains(line, b"\xef\xbb\xbf")
}

/// Whether the output is the input, with nothing between but what we add.
fn is_input_with_additions(input: &[u8], written: &[u8]) -> bool {
    let mut added = Vec::new();
    for id in IDS {
        added.push(format!(" correlation_id={id}"));
        added.push(format!("\"correlation_id\":\"{id}\""));
        added.push(format!("\"correlation_id\":\"{id}\","));
    }
    // How much of the input may have been seen at each place of the output.
    let mut seen = vec![Vec::new(); written.len() + 1];
    seen[0].push(0);
    for at in 0..written.len() {
        let mut here = std::mem::take(&mut seen[at]);
        here.sort_unstable();
        here.dedup();
        for taken in here {
            if input.get(taken) == Some(&written[at]) {
                seen[at + 1].push(taken + 1);
            }
            for added in &added {
                if written[at..].starts_with(added.as_bytes()) {
                    seen[at + added.len()].push(taken);
                }
            }
        }
    }
    seen[written.len()].contains(&input.len())
}
