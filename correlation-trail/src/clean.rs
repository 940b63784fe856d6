//! Removes from lines everything that a terminal obeys, so that text in a log cannot command it.

use std::borrow::Cow;

use memchr::memchr;

/// Returns `line` as text, without its ending and its colours. Bytes that are not UTF-8 become
/// U+FFFD.
///
/// Crates that remove escape sequences also remove the text after a sequence that has no end. So
/// foreign text could hide the rest of its line.
pub(crate) fn clean(line: &[u8]) -> Cow<'_, str> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    // A file that was cut under its writer, or after a crash, begins with a hole.
    let hole = line.iter().position(|&byte| byte != 0);
    let line = &line[hole.unwrap_or(line.len())..];
    // It is at the start of a file, and where files were joined.
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let mut rest = line.strip_suffix(b"\r").unwrap_or(line);
    let mut plain = Vec::new();
    while let Some(at) = memchr(ESCAPE, rest) {
        plain.extend_from_slice(&rest[..at]);
        rest = after_sequence(&rest[at + 1..]);
    }
    if plain.is_empty() {
        return String::from_utf8_lossy(rest);
    }
    plain.extend_from_slice(rest);
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

/// Returns the text in a form that is safe on a terminal.
///
/// U+FFFD replaces control characters other than tabs, characters that change the order of the
/// text, and characters that end a line or a paragraph.
///
/// Use it when you print a part of a [`Record`](crate::Record) or the name of a file. The output of
/// [`Text`](crate::Text) and [`Json`](crate::Json), and the errors of this crate, are already safe.
///
/// ```
/// assert_eq!(correlation_trail::printable("a\u{1b}[31m"), "a\u{fffd}[31m");
/// ```
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let obeyed = |c| is_hostile(c) && c != '\t';
    if text.contains(obeyed) {
        return Cow::Owned(text.replace(obeyed, "\u{fffd}"));
    }
    Cow::Borrowed(text)
}

/// Returns whether a terminal obeys the character, or would show a text in a different order.
pub(crate) fn is_hostile(c: char) -> bool {
    match c {
        // The ends of a line and a paragraph
        '\u{2028}' | '\u{2029}' => true,
        // These change the order of the text: Unicode Standard Annex 9, section 2
        '\u{61c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // U+0000 to U+001F, U+007F to U+009F
        _ => c.is_control(),
    }
}

/// Returns the rest after an escape sequence whose first byte was taken.
///
/// After `ESC [` come any number of parameter bytes (0x30 to 0x3F) and intermediate bytes (0x20 to
/// 0x2F), and one final byte (0x40 to 0x7E): ECMA-48, section 5.4. Any other escape loses only its
/// first byte.
fn after_sequence(rest: &[u8]) -> &[u8] {
    let Some(sequence) = rest.strip_prefix(b"[") else {
        return rest;
    };
    let mut bytes = sequence.iter();
    let end = bytes.position(|byte| !matches!(byte, 0x20..=0x3f));
    match &sequence[end.unwrap_or(sequence.len())..] {
        [0x40..=0x7e, rest @ ..] | rest => rest,
    }
}

const ESCAPE: u8 = 0x1b;

/// U+FEFF, which some Windows programs write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_line_endings_go() {
        for (line, text) in [
            (&b"plain"[..], "plain"),
            (b"unix\n", "unix"),
            (b"windows\r\n", "windows"),
            (b"in\rside\n", "in\rside"),
            (b"\xef\xbb\xbfmarked", "marked"),
            (
                b"\x1b[2m14:15\x1b[0m \x1b[3mid\x1b[0m\x1b[2m=\x1b[0mabc\n",
                "14:15 id=abc",
            ),
            (b"\x1b[38;5;12mblue\x1b[m", "blue"),
            (b"\x1b]0;title", "]0;title"),
            (b"cut \x1b[31", "cut "),
            (b"cut \x1b", "cut "),
            (b"broken \x1b[31\xc3\xa4", "broken \u{e4}"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            (b"\0\0after a hole\0", "after a hole\0"),
            (b"\0\0\n", ""),
        ] {
            assert_eq!(clean(line), text);
        }
    }
}
