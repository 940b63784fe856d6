//! As much of JSON (RFC 8259) as it takes to know where an object begins and ends.

use memchr::memmem;

/// How a record begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Start {
    /// As an object, whose `{` is here.
    Object(usize),
    /// As text.
    Text,
    /// There is not enough of it to tell.
    Unknown,
}

/// Tells how a record begins. Before an object there may be blanks, a byte order mark and the
/// `@cee:` of syslog (CEE log syntax).
pub(super) fn start(record: &[u8]) -> Start {
    let mut at = 0;
    loop {
        let rest = &record[at..];
        at += match rest {
            [] => return Start::Unknown,
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
                    None if marks.iter().any(|mark| mark.starts_with(rest)) => {
                        return Start::Unknown;
                    }
                    None => return Start::Text,
                }
            }
        };
    }
}

/// Follows an object from its `{` to its `}`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Scanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
    in_colour: bool,
    /// The last byte outside of strings that is not blank.
    last: u8,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// It goes on.
    More,
    /// It is complete with this many bytes.
    Done(usize),
    /// At this byte it turns out to be no object.
    Broken(usize),
}

impl Scanner {
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Step {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    // Never inside of a string: a line that was cut ends here.
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
                    // The members of the object have keys: this is the next record.
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

/// Whether an object has the key itself, not in something inside of it. `quoted` finds the key
/// with its quotes.
pub(super) fn has_key(object: &[u8], quoted: &memmem::Finder<'_>) -> bool {
    // Mostly it is not there, and one search is cheaper than to prepare for many.
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
            // Up to the colon there are blanks at most.
            after.feed(&object[at..end]);
            let colon = object[end..].iter().position(|&byte| {
                after.feed(&[byte]);
                after.last != b'"'
            });
            colon.is_some() && after.last == b':'
        }
    })
}
