//! logfmt: only `key=value` pairs.

use super::{Parsed, fields};

/// Reads a line that starts with a pair and has a time or a level among its pairs.
pub(super) fn parse(line: &str) -> Option<Parsed> {
    let mut words = fields::words(line).map(|(_, word)| word);
    let (key, value) = fields::pair(words.next()?)?;
    let mut parsed = Parsed::default();
    parsed.set(key, value);
    for word in words {
        match fields::pair(word) {
            Some((key, value)) => parsed.set(key, value),
            // A key without a value is true.
            None if word.bytes().all(crate::id::is_word) => parsed.field(word, String::new()),
            None => return None,
        }
    }
    parsed.settle();
    parsed.finish();
    (parsed.time.is_some() || parsed.level.is_some()).then_some(parsed)
}
