//! `key=value` in text.

use crate::id::is_word;

/// The words of a line, and where they start. What is in quotes or brackets is one word, as in
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

/// Up to the first space that is in no quotes and no brackets. What is not closed, as in `:(`, or
/// only far away, does not count.
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

/// Takes the pairs off the end of a message.
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

fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let Some(inner) = inner else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let escaped = (c == '\\').then(|| chars.next()).flatten();
        text.push(match escaped {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(other) => other,
            None => c,
        });
    }
    text
}

/// Without a limit, a line of nothing but brackets would be read again from each.
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

    #[test]
    fn pairs_at_the_end_are_fields() {
        for (text, message, expected) in [
            ("", "", &[][..]),
            ("query done", "query done", &[]),
            ("query done rows=3", "query done", &[("rows", "3")]),
            ("rows=3", "", &[("rows", "3")]),
            ("a=1 then b=2", "a=1 then", &[("b", "2")]),
            (
                r#"failed error=Io { code: 5, why: "no way" } path="/a b" empty="#,
                "failed",
                &[
                    ("error", r#"Io { code: 5, why: "no way" }"#),
                    ("path", "/a b"),
                    ("empty", ""),
                ],
            ),
            ("sad :( id=1", "sad :(", &[("id", "1")]),
            ("half \"quoted id=1", "half \"quoted", &[("id", "1")]),
            (r#"said "a=b c=d""#, r#"said "a=b c=d""#, &[]),
            ("1+1=2", "1+1=2", &[]),
            ("x  a=\"1\\n\\\"2\\\"\"", "x", &[("a", "1\n\"2\"")]),
        ] {
            let (rest, fields) = split_off(text);
            let fields: Vec<_> = fields
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str()))
                .collect();
            assert_eq!((rest, fields.as_slice()), (message, expected), "{text}");
        }
    }
}
