//! Finds an ID where it is a whole word.

use std::borrow::Cow;

use memchr::memchr2;
use memchr::memmem::{Finder, FinderBuilder};

use crate::clean::clean;

/// The ID of the search.
#[derive(Clone, Debug)]
pub(crate) struct Id {
    text: String,
    finder: Finder<'static>,
    /// Finds the longest part that no encoder escapes.
    part: Finder<'static>,
    /// Whether `|` ends an ID, because it separates the columns of some logs.
    splits_at_bars: bool,
}

impl Id {
    pub(crate) fn new(text: &str) -> Self {
        let finder = |text: &str| FinderBuilder::new().build_forward(text).into_owned();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " _.-:#@|~".contains(c);
        let parts = text.split(|c| !is_plain(c)).filter(|part| !part.is_empty());
        Self {
            finder: finder(text),
            part: finder(parts.max_by_key(|part| part.len()).unwrap_or(text)),
            splits_at_bars: !text.contains('|'),
            text: text.to_owned(),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Finds the next place where the ID may be, also in another spelling. The search spends most of
    /// its time here.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<usize> {
        if self.text.is_empty() {
            return None;
        }
        self.part.find(bytes)
    }

    /// Returns whether the ID is in `line`, as a whole word or as part of a longer one.
    pub(crate) fn is_part_of(&self, line: &str) -> bool {
        !self.text.is_empty() && self.finder.find(line.as_bytes()).is_some()
    }

    /// Returns whether the ID is in `line` as a whole word:
    ///
    /// - as a separate word: `[abc]`, `"abc"`, `(abc)`, `abc:` and `abc.` at the end of a clause,
    ///   but not in `abcd`, `abc-1`, `/orders/abc`, `abc@example.com`
    /// - as the value of a key: `any_key=abc`, `request_id:abc`, but not in `7F00:abc`
    /// - after a name or beside another ID: `shop/abc`, `abc/5cb8f0c2`, unless the key says that
    ///   the whole value is an ID: `request_id=shop/abc`
    /// - not in the value of `untrusted_id`, which a caller that is not trusted chose
    pub(crate) fn is_in(&self, line: &str) -> bool {
        self.find(line.as_bytes()).is_some() && self.is_word_in(&self.unescaped(line))
    }

    fn is_word_in(&self, line: &str) -> bool {
        let bytes = line.as_bytes();
        // The token of a hit starts here. It is looked for once, however many hits it has.
        let (mut from, mut token, mut checked) = (0, 0, 0);
        while let Some(hit) = self.finder.find(&bytes[from..]) {
            let at = from + hit;
            let gap = &bytes[checked..at];
            let outside = gap.iter().rposition(|&byte| !self.is_id(byte));
            token = outside.map_or(token, |outside| checked + outside + 1);
            checked = at;
            let (before, found) = bytes.split_at(at);
            let word = &before[token..];
            let after = &found[self.text.len()..];
            if word.len() < LONGEST && self.is_whole(before, word, after) && !is_untrusted(before) {
                return true;
            }
            // No ID starts inside a word.
            from = (at + 1..bytes.len())
                .find(|at| !bytes[at - 1].is_ascii_alphanumeric())
                .unwrap_or(bytes.len());
        }
        false
    }

    /// Returns the text that encoders escaped in a line, without its colours.
    fn unescaped<'l>(&self, line: &'l str) -> Cow<'l, str> {
        // An ID may itself have what begins an escape.
        let [is_literal, has_hash] = ['\\', '#'].map(|c| self.text.contains(c));
        let (mut plain, mut rest) = (String::new(), line);
        while let Some(at) = memchr2(b'\\', b'#', rest.as_bytes()).filter(|_| !is_literal) {
            let (before, escaped) = rest.split_at(at);
            let read = escape(escaped).filter(|_| !(has_hash && escaped.starts_with('#')));
            plain.push_str(before);
            if let Some((c, after)) = read {
                plain.push(c);
                rest = after;
            } else {
                plain.push_str(&escaped[..1]);
                let after = escaped.strip_prefix('#');
                rest = after.unwrap_or_else(|| escaped.trim_start_matches('\\'));
            }
        }
        if rest.len() == line.len() {
            return Cow::Borrowed(line);
        }
        plain.push_str(rest);
        Cow::Owned(clean(plain.as_bytes()).into_owned())
    }

    /// Returns whether the text between the start of its token and the text after it is the whole
    /// ID.
    fn is_whole(&self, before: &[u8], word: &[u8], after: &[u8]) -> bool {
        if self.is_trace_id() && is_traceparent(word, after) {
            return true;
        }
        let (keyed, name) = match key_of(word) {
            Some((key, rest)) => (Some(key), rest),
            None => (None, word),
        };
        if name.is_empty() && self.ends(after, keyed.is_some()) {
            return true;
        }
        let key = keyed.unwrap_or_else(|| key_before(&before[..before.len() - word.len()]));
        let says_id = key.to_ascii_lowercase().ends_with(b"id");
        let is_name = |name: &[u8]| {
            name.first().is_some_and(u8::is_ascii_alphanumeric) && name.iter().all(|&b| is_word(b))
        };
        let behind = name.strip_suffix(b"/").is_some_and(is_name);
        let behind = behind || name.starts_with(b"projects/") && name.ends_with(b"/traces/");
        let after = &after[..after.len().min(LONGEST)];
        let end = after
            .iter()
            .position(|&byte| !self.is_id(byte))
            .unwrap_or(after.len());
        let beside = after[..end].strip_prefix(b"/").is_some_and(|other| {
            let made = other.len() >= 8 && other.iter().any(u8::is_ascii_digit);
            (made || other == self.text.as_bytes()) && other.iter().all(|&byte| is_word(byte))
        });
        !says_id && (name.is_empty() && beside || behind && (beside || self.ends(after, false)))
    }

    fn is_trace_id(&self) -> bool {
        self.text.len() == 32 && is_hex(self.text.as_bytes())
    }

    fn ends(&self, after: &[u8], is_value: bool) -> bool {
        match after {
            [] => true,
            [byte, ..] if !self.is_id(*byte) => true,
            // `order abc: not found.` A value has no such end: in `id=abc.`, the ID is `abc.`
            [b'.' | b':', rest @ ..] if !is_value => {
                rest.first().is_none_or(|&byte| !self.is_id(byte))
            }
            _ => false,
        }
    }

    fn is_id(&self, byte: u8) -> bool {
        is_allowed(byte) && !(byte == b'|' && self.splits_at_bars)
    }
}

/// Returns whether a trace ID stands before a span ID: `00-ID-SPAN-01` of W3C, and `[ID-SPAN]` of
/// Spring.
fn is_traceparent(word: &[u8], after: &[u8]) -> bool {
    let starts =
        word.is_empty() || word.ends_with(b"00-") && word.len() == 3 || word.ends_with(b"=00-");
    let Some((span, after)) = after
        .strip_prefix(b"-")
        .and_then(|span| span.split_at_checked(16))
    else {
        return false;
    };
    let flags = after
        .strip_prefix(b"-")
        .and_then(|flags| flags.split_at_checked(2));
    let (flags, after) = flags.unwrap_or((b"01", after));
    let ends = after
        .first()
        .is_none_or(|&byte| !is_allowed(byte) || byte == b'|');
    starts && is_hex(span) && is_hex(flags) && ends
}

fn is_hex(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_hexdigit)
}

/// Reads an escape: `\u0022`, `\n` or `\/` of JSON, `\x22` of nginx, `#033` of rsyslog. In each string
/// that is inside another, there are more backslashes.
fn escape(text: &str) -> Option<(char, &str)> {
    let rest = text.trim_start_matches('\\');
    let (digits, radix) = match rest.bytes().next()? {
        b'u' => (4, 16),
        b'x' => (2, 16),
        b'#' => (3, 8),
        b'n' | b'r' | b't' | b'b' | b'f' => return Some((' ', &rest[1..])),
        b'/' => return Some(('/', &rest[1..])),
        _ => return None,
    };
    let (code, after) = rest[1..].split_at_checked(digits)?;
    let code = u32::from_str_radix(code, radix).ok()?;
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    // rsyslog escapes nothing else.
    (radix == 16 || c.is_control()).then_some((c, after))
}

/// Splits `key=` or `request_id:` from a word. With a colon, the key must say that it is the key of
/// an ID, because IDs may contain colons.
fn key_of(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = word.iter().position(|&byte| !is_word(byte))?;
    let (key, rest) = word.split_at(at);
    let named = match rest.first()? {
        b'=' => true,
        b':' => key.to_ascii_lowercase().ends_with(b"id"),
        _ => false,
    };
    (named && !key.is_empty()).then_some((key, &rest[1..]))
}

/// Returns the key whose value starts here: `"key": "`, `key: `, `'key' => '`.
fn key_before(before: &[u8]) -> &[u8] {
    let near = &before[before.len().saturating_sub(LONGEST)..];
    let end = near
        .iter()
        .rposition(|byte| !BETWEEN.contains(byte))
        .map_or(0, |at| at + 1);
    let (key, between) = near.split_at(end);
    let start = key
        .iter()
        .rposition(|&byte| !is_word(byte))
        .map_or(0, |at| at + 1);
    if between.iter().any(|byte| b"=:".contains(byte)) {
        &key[start..]
    } else {
        b""
    }
}

/// Returns whether the next text is in the value of the key `untrusted_id`, in any format. Collectors
/// write the key with a prefix or in capital letters.
fn is_untrusted(before: &[u8]) -> bool {
    let near = &before[before.len().saturating_sub(LONGEST)..];
    let mut keys = near.windows(UNTRUSTED.len());
    let Some(at) = keys.rposition(|key| key.eq_ignore_ascii_case(UNTRUSTED)) else {
        return false;
    };
    let mut value = &near[at + UNTRUSTED.len()..];
    // `"untrusted_id":["`, `untrusted_id=Some("`, `"untrusted_id","value":{"stringValue":"`
    let mut assigned = false;
    loop {
        let end = value
            .iter()
            .position(|byte| !BETWEEN.contains(byte) && *byte != b',');
        let (between, after) = value.split_at(end.unwrap_or(value.len()));
        assigned |= between.iter().any(|byte| b"=:".contains(byte));
        let end = after.iter().position(|&byte| !is_word(byte));
        let (word, behind) = after.split_at(end.unwrap_or(after.len()));
        // No ID has a bracket, and none stands behind a comma or in an object by itself.
        let known: [&[u8]; 3] = [b"value", b"stringValue", b"string_value"];
        let is_key = known.contains(&word) && between.iter().any(|byte| b",{".contains(byte));
        if !is_key && !behind.starts_with(b"(") && !behind.starts_with(b" {") {
            let quote = between.iter().rev().find(|byte| b"\"'(".contains(byte));
            return assigned
                && match quote {
                    Some(b'(') => !after.contains(&b')'),
                    // A value in quotes ends at the next quote.
                    Some(quote) => !after.contains(quote),
                    None => after.iter().all(|&byte| is_allowed(byte)),
                };
        }
        value = behind;
    }
}

/// Returns whether an ID may have this byte. A test compares the alphabet with the one of
/// `correlation-core`.
fn is_allowed(byte: u8) -> bool {
    is_word(byte) || b":+/=#@|~".contains(&byte)
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// The key under which `correlation-core` writes the ID of a caller that the policy does not trust.
const UNTRUSTED: &[u8] = b"untrusted_id";

/// The characters that may stand between a key and its value.
const BETWEEN: &[u8] = b"\"'\\ =:>[({";

/// The maximum size of a key and an ID together, in bytes.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use correlation_core::CorrelationId;

    use super::*;

    #[test]
    fn the_alphabet_is_that_of_core() {
        for byte in 0..=u8::MAX {
            let allowed = CorrelationId::try_from(&[byte][..]).is_ok();
            assert_eq!(is_allowed(byte), allowed, "{byte:#x}");
        }
    }
}
