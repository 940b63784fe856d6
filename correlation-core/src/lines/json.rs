//! Scans JSON (RFC 8259) as far as needed to find where an object begins and ends.

use memchr::memmem;

/// The type of the beginning of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Start {
    /// An object, whose `{` is at this position.
    Object(usize),
    /// Text.
    Text,
    /// The record is too short to tell.
    Unknown,
}

/// Returns how a record begins. Before an object there may be blanks, a byte order mark and the
/// `@cee:` of syslog (CEE log syntax).
pub(super) fn start(record: &[u8]) -> Start {
    let mut at = 0;
    loop {
        let rest = &record[at..];
        at += match rest {
            [b' ' | b'\t' | b'\r' | b'\n', ..] => 1,
            [b'{', members @ ..] => {
                return match members.trim_ascii_start() {
                    [] => Start::Unknown,
                    [b'"' | b'}', ..] => Start::Object(at),
                    _ => Start::Text,
                };
            }
            _ => {
                let marks = [&b"\xEF\xBB\xBF"[..], b"@cee:"];
                match marks.iter().find(|mark| rest.starts_with(mark)) {
                    Some(mark) => mark.len(),
                    // Also if nothing is left.
                    None if marks.iter().any(|mark| mark.starts_with(rest)) => {
                        return Start::Unknown;
                    }
                    None => return Start::Text,
                }
            }
        };
    }
}

/// Follows an object from its `{` to its `}`, in as many pieces as it comes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Scanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
    in_colour: bool,
    /// The last byte outside strings that is not blank.
    last: u8,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// The object continues.
    More,
    /// The object is complete with this many bytes.
    Done(usize),
    /// At this byte it turns out not to be an object.
    Broken(usize),
}

impl Scanner {
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Step {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    // A string never has a raw newline, so this line was cut.
                    b'\n' => return Step::Broken(at),
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            if self.in_colour {
                self.in_colour = !byte.is_ascii_alphabetic();
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => continue,
                b'\x1b' => {
                    self.in_colour = true;
                    continue;
                }
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    // The members of an object have keys, so this is the next record.
                    if self.depth == 1 && self.last != b':' {
                        return Step::Broken(at);
                    }
                    self.depth += 1;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return match byte {
                            b'}' => Step::Done(at + 1),
                            _ => Step::Broken(at),
                        };
                    }
                }
                _ => {}
            }
            self.last = byte;
        }
        Step::More
    }
}

/// Whether an object itself has the key, not a value inside it. `quoted` finds the key with its
/// quotes.
pub(super) fn has_key(object: &[u8], quoted: &memmem::Finder<'_>) -> bool {
    // Most objects do not have the key, and one search is cheaper than preparing for many.
    if quoted.find(object).is_none() {
        return false;
    }
    let (mut scanner, mut fed) = (Scanner::default(), 0);
    quoted.find_iter(object).any(|at| {
        let step = scanner.feed(&object[fed..at]);
        fed = at;
        let is_name = step == Step::More && scanner.depth == 1 && !scanner.in_string;
        is_name && {
            let mut after = scanner;
            let end = at + quoted.needle().len();
            // Only blanks may stand before the colon.
            after.feed(&object[at..end]);
            let colon = object[end..].iter().position(|&byte| {
                after.feed(&[byte]);
                after.last != b'"'
            });
            colon.is_some() && after.last == b':'
        }
    })
}
