//! A record as `tracing` writes it in text, and whatever else carries the ID.

use super::parse::Line;
use super::time::Timestamp;

/// The record of a line, if it belongs to `id`.
pub(super) fn line(line: &str, id: &str) -> Option<Line> {
    Some(record(&without_id(line, id)?))
}

/// A line whose ID was taken out: `TIME LEVEL span{field=1}: target: message`.
fn record(line: &str) -> Line {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let Some(time) = Timestamp::parse(first) else {
        return Line::Continuation(line.to_owned());
    };
    let rest = rest.trim_start();
    let (level, rest) = match rest.split_once(' ') {
        Some((level, rest)) if LEVELS.contains(&level) => (level, rest.trim_start()),
        _ => ("", rest),
    };
    let (spans, mut message) = split_prefix(rest);
    if spans.contains('{') {
        message = split_prefix(message).1;
    }
    Line::Record {
        time,
        level: level.to_owned(),
        message: message.to_owned(),
    }
}

/// Splits `target: ` or `span{field="a b"}: ` from what follows. A first word without a colon is
/// the message itself.
fn split_prefix(text: &str) -> (&str, &str) {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => depth = depth.saturating_sub(1),
            b' ' if !in_string && depth == 0 => {
                let prefix = text[..at].strip_suffix(':');
                return prefix.map_or(("", text), |prefix| (prefix, &text[at + 1..]));
            }
            _ => {}
        }
    }
    ("", text)
}

/// The line without ` correlation_id=ID`; `None` if it has no such field, or one that only starts
/// like it.
fn without_id(line: &str, id: &str) -> Option<String> {
    line.rmatch_indices(KEY).find_map(|(at, _)| {
        let (before, value) = (&line[..at], &line[at + KEY.len()..]);
        let unquoted = value.strip_prefix('"').unwrap_or(value);
        let after = unquoted.strip_prefix(id)?;
        let (starts, ends) = (!before.ends_with(is_word), !after.starts_with(is_id));
        let after = after.strip_prefix('"').unwrap_or(after);
        let kept = match before.strip_suffix(' ') {
            None if before.is_empty() => after.trim_start().to_owned(),
            kept => format!("{}{after}", kept.unwrap_or(before)),
        };
        (starts && ends).then_some(kept)
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// Whether an ID goes on with this.
fn is_id(c: char) -> bool {
    is_word(c) || matches!(c, ':' | '+' | '/' | '=' | '#' | '@' | '|' | '~')
}

const KEY: &str = "correlation_id=";
const LEVELS: [&str; 5] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];
