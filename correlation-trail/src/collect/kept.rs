//! The text of a record, in the form that is kept.

use crate::record::Record;

/// Removes the ID from a record where it tells nothing new: in brackets before the message, at the
/// end of a line, or under a usual key.
pub(super) fn tidy(record: &mut Record, id: &str) {
    record
        .fields
        .retain(|(key, value)| value != id || !is_usual(key));
    record.target.take_if(|target| target == id);
    let message = without_prefix(&record.message, id);
    record.message = without_suffix(message, id).to_owned();
    for line in &mut record.continuation {
        *line = without_suffix(line, id).to_owned();
    }
}

/// `[ID] message`, `[app,ID,ID] message`, `ID: message`.
fn without_prefix<'l>(mut message: &'l str, id: &str) -> &'l str {
    if let Some(rest) = message.strip_prefix(id)
        && rest.starts_with(['\t', ':', '|'])
    {
        message = rest.trim_start_matches(['\t', ':', '|', ' ']);
    }
    while let Some((inner, rest)) = message
        .strip_prefix('[')
        .and_then(|text| text.split_once(']'))
        && inner.contains(id)
        && inner.len() < id.len() * 2 + 64
        && rest.starts_with([' ', ':'])
    {
        message = rest.trim_start_matches([' ', ':']);
    }
    message
}

/// Returns a line without the ID at its end.
fn without_suffix<'l>(line: &'l str, id: &str) -> &'l str {
    let line = line.trim_end();
    if let Some(rest) = line.strip_suffix(id)
        && let Some(rest) = rest.strip_suffix("correlation_id=")
        && (rest.is_empty() || rest.ends_with([' ', '\t']))
    {
        return rest.trim_end();
    }
    line
}

/// Fills the message of a record that has only a head, from the first of these lines that is a
/// message.
pub(super) fn fill(record: &mut Record, lines: &mut Vec<String>) {
    let at = lines.iter().position(|line| is_message(line));
    if let Some(at) = at {
        let parsed = crate::format::parse(&lines.remove(at));
        record.message = bounded(parsed.message);
        record.level = record.level.or(parsed.level);
        record.fields.extend(parsed.fields);
    }
}

/// Returns whether a line below a head is the message. A scope of .NET or a detail of a slow query
/// is not.
pub(super) fn is_message(line: &str) -> bool {
    let line = line.trim_start();
    !["=>", "# ", "SET timestamp=", "use "]
        .iter()
        .any(|start| line.starts_with(start))
}

/// Cuts a text that is too long to read, because the whole timeline is in memory.
pub(super) fn bounded(mut text: String) -> String {
    if text.len() > MOST_BYTES {
        let end = (0..=MOST_BYTES).rfind(|&at| text.is_char_boundary(at));
        text.truncate(end.unwrap_or(0));
        text.push('\u{2026}');
        text.shrink_to_fit();
    }
    text
}

/// Returns whether the ID is expected under this key: `correlation_id`, `requestId`,
/// `X-Request-ID`, `trace_id` and the like.
pub(super) fn is_usual(key: &str) -> bool {
    let key = key.rsplit('.').next().unwrap_or(key);
    if key.len() > 24 || !key.ends_with(['d', 'D']) {
        return false;
    }
    let letters = key.chars().filter(char::is_ascii_alphanumeric);
    let key: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    let key = key.strip_prefix('x').unwrap_or(&key);
    ["correlationid", "requestid", "traceid", "rid"].contains(&key)
}

const MOST_BYTES: usize = 32 * 1024;

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
            assert_eq!(without_suffix(line, "abc"), rest);
        }
    }

    #[test]
    fn the_id_in_brackets_is_no_news() {
        for (line, rest) in [
            ("[abc] paid", "paid"),
            ("[shop,abc,abc] [abc]: paid", "paid"),
            ("[other] paid", "[other] paid"),
            ("[abc]", "[abc]"),
            ("abc\tpaid", "paid"),
            ("abc paid", "abc paid"),
        ] {
            assert_eq!(without_prefix(line, "abc"), rest);
        }
    }

    #[test]
    fn usual_keys() {
        for key in ["correlation_id", "X-Request-ID", "traceId", "requestId"] {
            assert!(is_usual(key), "{key}");
        }
        for key in ["untrusted_id", "order", "id", ""] {
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
