//! A record as it is shown, from a line as it was read.

use crate::format::Parsed;
use crate::record::Record;

/// The record of a line. File, line and, if it does not tell, service are left open.
pub(super) fn record(parsed: Parsed, id: &str) -> Record {
    let mut lines = parsed.message.lines();
    let message = continuation(lines.next().unwrap_or_default(), id);
    let fields = parsed.fields.into_iter();
    Record {
        time: parsed.time,
        estimated: false,
        service: parsed.service.unwrap_or_default(),
        level: parsed.level,
        target: parsed.target,
        message,
        fields: fields
            .filter(|(key, value)| value != id || !is_usual(key))
            .map(|(key, value)| (key, bounded(value)))
            .collect(),
        continuation: lines.map(|line| continuation(line, id)).collect(),
        file: String::new(),
        line: 0,
    }
}

/// A further line, without the ID at its end.
pub(super) fn continuation(line: &str, id: &str) -> String {
    let mut line = line.trim_end();
    if let Some(rest) = line.strip_suffix(id)
        && let Some(rest) = rest.strip_suffix("correlation_id=")
        && (rest.is_empty() || rest.ends_with([' ', '\t']))
    {
        line = rest.trim_end();
    }
    bounded(line.to_owned())
}

/// Cuts what nobody reads: the whole timeline is in memory.
pub(super) fn bounded(mut text: String) -> String {
    if text.len() > MOST_BYTES {
        let end = (0..=MOST_BYTES).rfind(|&at| text.is_char_boundary(at));
        text.truncate(end.unwrap_or(0));
        text.push('\u{2026}');
    }
    text
}

/// Whether the ID is expected under this key, and no news: `correlation_id`, `requestId`,
/// `X-Request-ID`, `trace_id` and the like.
fn is_usual(key: &str) -> bool {
    let letters = key.chars().filter(char::is_ascii_alphanumeric);
    let key: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    let key = key.strip_prefix('x').unwrap_or(&key);
    ["correlationid", "requestid", "traceid"].contains(&key)
}

const MOST_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_at_the_end_is_no_news() {
        for (line, rest) in [
            ("  2: shop::main correlation_id=abc", "  2: shop::main"),
            ("correlation_id=abc\t", ""),
            ("a my_correlation_id=abc", "a my_correlation_id=abc"),
            ("a correlation_id=xabc", "a correlation_id=xabc"),
            ("abc", "abc"),
        ] {
            assert_eq!(continuation(line, "abc"), rest);
        }
    }

    #[test]
    fn usual_keys() {
        for key in ["correlation_id", "X-Request-ID", "traceId", "requestId"] {
            assert!(is_usual(key), "{key}");
        }
        for key in ["upstream_id", "order", "id", ""] {
            assert!(!is_usual(key), "{key}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let cut = bounded("\u{20ac}".repeat(MOST_BYTES));
        assert!(cut.len() <= MOST_BYTES + 3 && cut.ends_with('\u{2026}'));
        assert_eq!(bounded("short".to_owned()), "short");
    }
}
