//! Where an ID stands as a whole.

use memchr::memmem::{Finder, FinderBuilder};

/// The ID that is looked for.
#[derive(Debug)]
pub(crate) struct Id {
    text: String,
    finder: Finder<'static>,
    /// Whether `|` ends an ID, as it separates the columns of some logs.
    splits_at_bars: bool,
}

impl Id {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            finder: FinderBuilder::new().build_forward(text).into_owned(),
            splits_at_bars: !text.contains('|'),
            text: text.to_owned(),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the bytes of the ID are next, whole or as a part of something longer. This is where
    /// all the time goes.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<usize> {
        if self.text.is_empty() {
            return None;
        }
        self.finder.find(bytes)
    }

    /// Whether the ID is in `line` as a whole:
    ///
    /// - as a word of its own: `[abc]`, `"abc"`, `(abc)`, `abc:` and `abc.` at the end of a
    ///   clause, but not in `abcd`, `abc-1`, `/orders/abc`, `abc@example.com`
    /// - as the value of a key: `any_key=abc`, `request_id:abc`, but not in `7F00:abc`
    pub(crate) fn is_in(&self, line: &str) -> bool {
        let bytes = line.as_bytes();
        let mut from = 0;
        while let Some(at) = self.find(&bytes[from..]) {
            let start = from + at;
            let end = start + self.text.len();
            let before = self.word_before(&bytes[..start]);
            let is_value = is_key(before);
            let starts = before.is_empty() || is_value;
            if starts && self.ends(&bytes[end..], is_value) {
                return true;
            }
            from = start + 1;
        }
        false
    }

    /// What could be the start of a longer ID.
    fn word_before<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let near = &bytes[bytes.len().saturating_sub(LONGEST)..];
        let outside = near.iter().rposition(|&byte| !self.is_id(byte));
        let word = &near[outside.map_or(0, |at| at + 1)..];
        // The letter of `\n` in a JSON string is none of the word.
        match word {
            [b'n' | b'r' | b't' | b'b' | b'f', word @ ..]
                if outside.is_some_and(|at| near[at] == b'\\') =>
            {
                word
            }
            _ => word,
        }
    }

    fn ends(&self, after: &[u8], is_value: bool) -> bool {
        match after {
            [] => true,
            [byte, ..] if !self.is_id(*byte) => true,
            // `order abc: not found.` A value has no such end: `id=abc.` is the ID `abc.`
            [b'.' | b':', rest @ ..] if !is_value => {
                rest.first().is_none_or(|&byte| !self.is_id(byte))
            }
            _ => false,
        }
    }

    fn is_id(&self, byte: u8) -> bool {
        is_word(byte)
            || matches!(byte, b':' | b'+' | b'/' | b'=' | b'#' | b'@' | b'~')
            || byte == b'|' && !self.splits_at_bars
    }
}

/// Whether this is `key=`, or `request_id:`. With a colon the key must say that it is one: IDs
/// have colons, too.
fn is_key(word: &[u8]) -> bool {
    match word.split_last() {
        Some((b'=', key)) => key.iter().all(|&byte| is_word(byte)),
        Some((b':', key)) => {
            let end = &key[key.len().saturating_sub(2)..];
            end.eq_ignore_ascii_case(b"id") && key.iter().all(|&byte| is_word(byte))
        }
        _ => false,
    }
}

pub(crate) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// A key and an ID together are never longer.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_and_values_count() {
        for line in [
            "abc",
            "id abc.",
            "order abc: not found",
            "order abc:",
            "[abc] {abc} (abc) <abc>",
            r#"{"correlation_id":"abc","n":1}"#,
            r#"{"message":"first line\nabc"}"#,
            r#"{"message":"said \"abc\""}"#,
            "correlation_id=abc",
            "correlation_id=abc trace_id=abcd",
            "request{correlation_id=\"abc\"}: shop: done",
            "request{id=abc}: shop: done",
            "x-request-id:abc",
            "GET /track?id=abc&x=1",
            "INFO|abc|done",
            "abcd abc",
            "abc-abc abc",
            "a,abc,b;abc",
            "Root=abc;Parent=1",
        ] {
            assert!(Id::new("abc").is_in(line), "{line}");
        }
    }

    #[test]
    fn parts_of_longer_ids_do_not() {
        for line in [
            "",
            "ab",
            "abcd xabc",
            "abc-1 1-abc abc.d abc:d abc/d d/abc",
            "correlation_id=abcd",
            "correlation_id=abc.",
            "correlation_id=x=abc",
            "correlation_id=7F00:abc",
            "7F00:abc",
            "/orders/abc",
            "abc@example.com",
            "abc=1",
            "abc.. abc::",
            r"C:\xabc",
        ] {
            assert!(!Id::new("abc").is_in(line), "{line}");
        }
    }

    #[test]
    fn ids_of_all_makes() {
        for id in [
            "5cb8f0c2-0a52-4d3c-9f0e-5b8a3a2f7a11",
            "7F000001:8296_4F7B0A69:1F90",
            "|4bf92f35.1_2.",
            "YWJj+/==",
            "two words",
            "\u{e4}",
        ] {
            for line in ["correlation_id=ID", "a ID b", "\"ID\"", "xID IDx ID"] {
                assert!(Id::new(id).is_in(&line.replace("ID", id)), "{line} {id}");
            }
            assert!(!Id::new(id).is_in(&format!("x{id} {id}x")), "{id}");
        }
        assert!(!Id::new("").is_in("a  b"));
    }

    #[test]
    fn a_bar_separates_unless_the_id_has_one() {
        assert!(!Id::new("a|b").is_in("c|a|b"));
        assert!(Id::new("abc").is_in("x|abc"));
    }
}
