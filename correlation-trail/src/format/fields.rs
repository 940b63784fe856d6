//! `key=value` in text.

use crate::id::is_word;

/// Returns the words of a line and where they start. Text in quotes or brackets is one word, as in
/// `error="not found"` and `error=Io { code: 5 }`.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let start = at + rest.len() - rest.trim_start_matches(' ').len();
        let word = &text[start..];
        let word = &word[..word_len(word)];
        at = start + word.len();
        (!word.is_empty()).then_some((start, word))
    })
}

/// Returns the length up to the first space that is not in quotes or brackets. A quote or bracket
/// that is not closed, as in `:(`, or is closed only far away, does not count.
fn word_len(text: &str) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut first_space = None;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(space) = first_space
            && at > LONGEST_WORD
        {
            return space;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b' ' if !in_string && depth == 0 => return at,
            b' ' => _ = first_space.get_or_insert(at),
            _ if in_string => {}
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let closed = depth == 0 && !in_string;
    first_space.filter(|_| !closed).unwrap_or(text.len())
}

/// `key=value` or `key="value"`.
pub(super) fn pair(word: &str) -> Option<(&str, String)> {
    let (key, value) = word.split_once('=')?;
    let named = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (named && key.bytes().all(is_word)).then(|| (key, unquoted(value)))
}

/// Splits the pairs off the end of a message.
pub(super) fn split_off(message: &str) -> (&str, Vec<(String, String)>) {
    let mut end = message.len();
    let mut fields = Vec::new();
    for (start, word) in words(message) {
        match pair(word) {
            Some((key, value)) => {
                end = end.min(start);
                fields.push((key.to_owned(), value));
            }
            // `error=Io { code: 5 }` has a space where `Debug` puts it.
            None if word.starts_with('{') && !fields.is_empty() => {
                if let Some((_, value)) = fields.last_mut() {
                    value.push(' ');
                    value.push_str(word);
                }
            }
            None => {
                end = message.len();
                fields.clear();
            }
        }
    }
    (message[..end].trim_end(), fields)
}

pub(super) fn unquoted(value: &str) -> String {
    let quoted = value.strip_prefix('"');
    let Some(inner) = quoted.and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut chars = inner.chars();
    let next = || match chars.next()? {
        '\\' => match chars.next() {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            other => other.or(Some('\\')),
        },
        c => Some(c),
    };
    std::iter::from_fn(next).collect()
}

/// Without a limit, a line of many brackets would be read again from each of them.
const LONGEST_WORD: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_far_apart_are_none() {
        let far = format!("a(b {}) id=1", "c".repeat(LONGEST_WORD));
        assert_eq!(words(&far).next(), Some((0, "a(b")));
        let long = format!("(b c){} d", "e".repeat(LONGEST_WORD));
        assert!(words(&long).all(|(_, word)| !word.contains(") ")));
        assert_eq!(words(&"( ".repeat(1_024)).count(), 1_024);
    }
}
