//! One line of a log, of whatever format.

mod body;
mod fields;
mod json;
mod keys;
mod logfmt;
mod text;

pub(crate) use body::Body;

use crate::record::Level;
use crate::time::Timestamp;

/// What a line says. Nothing is an error: a line of no known format is a message.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Parsed {
    pub(crate) time: Option<Timestamp>,
    pub(crate) level: Option<Level>,
    pub(crate) service: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) message: String,
    pub(crate) fields: Vec<(String, String)>,
}

/// Reads one line without its ending.
pub(crate) fn parse(line: &str) -> Parsed {
    json::parse(line).unwrap_or_else(|| {
        let end = (0..=LONGEST_TEXT.min(line.len())).rfind(|&at| line.is_char_boundary(at));
        let line = &line[..end.unwrap_or(0)];
        logfmt::parse(line).unwrap_or_else(|| text::parse(line))
    })
}

/// Whether a line is not the continuation of another.
pub(crate) fn starts_record(line: &str) -> bool {
    line.starts_with("{\"") || parse(line).time.is_some()
}

/// Of a longer line of text only that much is taken apart; more is not shown anyway.
const LONGEST_TEXT: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// `TIME LEVEL SERVICE TARGET [MESSAGE] FIELDS`, `T` for the one time of all tests.
    pub(super) fn shown(parsed: &Parsed) -> String {
        let time = Timestamp::parse("2026-11-22T14:15:49.44Z");
        let mut line = match parsed.time {
            None => "-".to_owned(),
            some if some == time => "T".to_owned(),
            Some(other) => other.to_string(),
        };
        let or_none = |text: Option<&str>| text.unwrap_or("-").to_owned();
        for part in [
            or_none(parsed.level.map(Level::as_str)),
            or_none(parsed.service.as_deref()),
            or_none(parsed.target.as_deref()),
            format!("[{}]", parsed.message),
        ] {
            line = format!("{line} {part}");
        }
        for (key, value) in &parsed.fields {
            line = format!("{line} {key}={value}");
        }
        line
    }

    #[test]
    fn the_format_shows() {
        for (line, target) in [
            (r#"{"target":"json"}"#, "json"),
            ("level=info target=logfmt", "logfmt"),
            ("INFO text: done", "text"),
            (r#"{"target":"cut"#, ""),
        ] {
            assert_eq!(parse(line).target.unwrap_or_default(), target);
        }
    }

    #[test]
    fn a_record_starts_with_a_time_or_a_brace() {
        for (line, starts) in [
            ("2026-11-22T14:15:49Z done", true),
            ("  2026-11-22T14:15:49Z  INFO pretty", true),
            ("ts=2026-11-22T14:15:49Z msg=done", true),
            (r#"{"message":"no time"}"#, true),
            ("{", false),
            ("   0: std::rt", false),
            ("level=info", false),
            ("", false),
        ] {
            assert_eq!(starts_record(line), starts, "{line}");
        }
    }
}
