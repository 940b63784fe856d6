//! A line as text: no line ending, no colours, and valid UTF-8.

use std::borrow::Cow;

use memchr::memchr;

/// `line` as text. What a terminal would obey and not show is taken out; bytes that are no UTF-8
/// become U+FFFD.
pub(crate) fn clean(line: &[u8]) -> Cow<'_, str> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if memchr(ESCAPE, line).is_none() {
        return String::from_utf8_lossy(line);
    }
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = memchr(ESCAPE, rest) {
        plain.extend_from_slice(&rest[..at]);
        rest = after_sequence(&rest[at + 1..]);
    }
    plain.extend_from_slice(rest);
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

/// What follows an escape sequence, the first byte of which was taken. ECMA-48, section 5.4: after
/// `ESC [` any number of parameter (0x30 to 0x3F) and intermediate bytes (0x20 to 0x2F), one final
/// byte (0x40 to 0x7E). Any other escape stays without its first byte.
fn after_sequence(rest: &[u8]) -> &[u8] {
    let Some(sequence) = rest.strip_prefix(b"[") else {
        return rest;
    };
    match sequence
        .iter()
        .position(|byte| !matches!(byte, 0x20..=0x3f))
    {
        Some(last) if matches!(sequence[last], 0x40..=0x7e) => &sequence[last + 1..],
        Some(broken) => &sequence[broken..],
        None => &[],
    }
}

const ESCAPE: u8 = 0x1b;

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
        ] {
            assert_eq!(clean(line), text);
        }
    }
}
