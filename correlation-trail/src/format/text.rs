//! A line of text: `tracing` (full, compact, pretty), `env_logger`, `flexi_logger`, fern, and others
//! that start with a time.

use super::{Parsed, fields};
use crate::record::Level;
use crate::time::Timestamp;

/// Reads any line.
pub(super) fn parse(line: &str) -> Parsed {
    let text = line.trim();
    let (time, bracketed, rest) = time(text);
    let (level, rest) = level(rest.trim_start_matches(SEPARATORS));
    let (target, message) = if bracketed {
        // env_logger: `[TIME LEVEL target] message`
        let (target, message) = rest.split_once(']').unwrap_or(("", rest));
        (target.trim(), message.trim_start())
    } else {
        let rest = rest.trim_start_matches(SEPARATORS);
        flexi_target(rest).unwrap_or_else(|| target(rest))
    };
    let (message, fields) = fields::split_off(message);
    Parsed {
        time,
        level: level.or_else(|| is_panic(message).then_some(Level::Error)),
        service: None,
        target: (!target.is_empty()).then(|| target.to_owned()),
        message: message.to_owned(),
        fields,
    }
}

/// The time, whether a bracket before it is still open, and what follows.
fn time(text: &str) -> (Option<Timestamp>, bool, &str) {
    let inner = text.strip_prefix('[');
    match Timestamp::leading(inner.unwrap_or(text)) {
        Some((time, rest)) if inner.is_some() => match rest.strip_prefix(']') {
            Some(rest) => (Some(time), false, rest),
            None => (Some(time), rest.contains(']'), rest),
        },
        Some((time, rest)) => (Some(time), false, rest),
        None => (None, false, text),
    }
}

/// `INFO`, `[info]` or `INFO:`. A word in small letters is a word.
fn level(text: &str) -> (Option<Level>, &str) {
    let (word, rest) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((word, rest)) => (word.trim(), rest),
        None => {
            let end = text.find([' ', ']', ':', '|', '\t']).unwrap_or(text.len());
            let (word, rest) = text.split_at(end);
            let shouted = word.bytes().all(|byte| byte.is_ascii_uppercase());
            (
                if shouted { word } else { "" },
                rest.strip_prefix(':').unwrap_or(rest),
            )
        }
    };
    let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic());
    match Level::parse(word).filter(|_| is_word) {
        Some(level) => (Some(level), rest),
        None => (None, text),
    }
}

/// `flexi_logger`: `[target] message`.
fn flexi_target(text: &str) -> Option<(&str, &str)> {
    let (target, message) = text.strip_prefix('[')?.split_once("] ")?;
    is_path(target).then_some((target, message))
}

/// `tracing`: `span{field=1}: target: message`, or in its compact form `span:span: target:
/// message`.
fn target(text: &str) -> (&str, &str) {
    let (first, rest) = split_prefix(text);
    let (second, message) = split_prefix(rest);
    if first.contains('{') {
        return if is_path(second) {
            (second, message)
        } else {
            ("", rest)
        };
    }
    if is_path(second) && second.contains("::") && !first.contains("::") {
        return (second, message);
    }
    if is_path(first) {
        (first, rest)
    } else {
        ("", text)
    }
}

/// Splits `target: ` or `span{field="a b"}: ` from what follows. A first word without a colon is
/// the message itself.
fn split_prefix(text: &str) -> (&str, &str) {
    let first = fields::words(text).next().map_or("", |(_, word)| word);
    match first.strip_suffix(':') {
        Some(prefix) => (prefix, text[first.len()..].trim_start_matches(' ')),
        None => ("", text),
    }
}

/// Whether it looks like a module or crate.
fn is_path(text: &str) -> bool {
    let plain = |byte| crate::id::is_word(byte) || matches!(byte, b':' | b'/' | b'$');
    !text.is_empty() && text.bytes().all(plain)
}

/// The first line of Rust's report. It has no level, but it is no good news.
fn is_panic(message: &str) -> bool {
    message.starts_with("thread '") && message.contains("' panicked at ")
        || message.starts_with("thread '") && message.contains(") panicked at ")
}

const SEPARATORS: [char; 3] = [' ', '\t', '|'];

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    #[test]
    fn each_dialect() {
        for (line, expected) in [
            // tracing: full, with spans, compact, pretty
            (
                "T  INFO shop::db: query done rows=3 correlation_id=abc",
                "T INFO - shop::db [query done] rows=3 correlation_id=abc",
            ),
            (
                "T ERROR a{path=\"/x: {y\" n=1}:b{c=2}: shop: failed: no funds",
                "T ERROR - shop [failed: no funds]",
            ),
            ("T  WARN a{b=1}: no target", "T WARN - - [no target]"),
            (
                "T  INFO request:db: shop::db: query done",
                "T INFO - shop::db [query done]",
            ),
            (
                "  T  INFO shop: done, rows: 3",
                "T INFO - shop [done, rows: 3]",
            ),
            ("T TRACE no target", "T TRACE - - [no target]"),
            ("T no level", "T - - - [no level]"),
            ("T", "T - - - []"),
            // env_logger
            (
                "[T INFO  my_app::db] query done rows=3",
                "T INFO - my_app::db [query done] rows=3",
            ),
            ("[T WARN ] no target", "T WARN - - [no target]"),
            ("[T INFO  never closed", "T INFO - - [never closed]"),
            // flexi_logger, simple closures, loguru, log4rs
            (
                "[2026-11-22 14:15:49.44 +00:00] INFO [my_app::db] query done",
                "T INFO - my_app::db [query done]",
            ),
            ("[T] [info] done", "T INFO - - [done]"),
            ("T [ERROR] done", "T ERROR - - [done]"),
            (
                "T | WARNING  | app:main:5 - done",
                "T WARN - - [app:main:5 - done]",
            ),
            ("T ERROR: done", "T ERROR - - [done]"),
            ("T INFO [abc] my_app - done", "T INFO - abc [my_app - done]"),
            // no time
            ("INFO shop: done", "- INFO - shop [done]"),
            ("error in the works", "- - - - [error in the works]"),
            (
                "thread 'main' panicked at src/main.rs:5:9:",
                "- ERROR - - [thread 'main' panicked at src/main.rs:5:9:]",
            ),
            (
                "thread 'main' (4711) panicked at src/main.rs:5:9:",
                "- ERROR - - [thread 'main' (4711) panicked at src/main.rs:5:9:]",
            ),
            ("", "- - - - []"),
            ("[", "- - - - [[]"),
        ] {
            let line = line
                .replace('T', "2026-11-22T14:15:49.44Z")
                .replace("2026-11-22T14:15:49.44ZRACE", "TRACE");
            assert_eq!(shown(&parse(&line)), expected, "{line}");
        }
    }
}
