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
    /// Which of the innermost 64 values that are open are arrays. The lowest bit is the innermost.
    arrays: u64,
    place: Place,
}

/// Where on its line the next byte stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Place {
    #[default]
    Inside,
    /// After a newline and blanks.
    Indented,
    /// Right after a newline.
    Column0,
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
            let place = std::mem::take(&mut self.place);
            match byte {
                b'\n' => {
                    self.place = Place::Column0;
                    continue;
                }
                b' ' | b'\t' | b'\r' => {
                    if place != Place::Inside {
                        self.place = Place::Indented;
                    }
                    continue;
                }
                b'\x1b' => {
                    self.in_colour = true;
                    continue;
                }
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    // The members of an object have keys, so this is the next record. So is an
                    // object at the beginning of a line: formatters write one, and none of those
                    // that write several lines puts a value there.
                    let is_member = self.arrays & 1 == 0 && self.last != b':';
                    if self.depth > 0 && is_member || byte == b'{' && place == Place::Column0 {
                        self.place = place;
                        return Step::Broken(at);
                    }
                    self.depth += 1;
                    self.arrays = self.arrays << 1 | u64::from(byte == b'[');
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.arrays >>= 1;
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

impl Scanner {
    /// Whether only blanks stand between the last newline and the byte that [broke](Step::Broken)
    /// the object.
    pub(super) fn is_at_line_start(&self) -> bool {
        self.place != Place::Inside
    }
}

/// Whether an object itself has the key, not a value inside it. `quoted` finds the key with its
/// quotes. Text that is no JSON has no key.
pub(super) fn has_key(object: &[u8], quoted: &memmem::Finder<'_>) -> bool {
    // Most objects do not have the key, and one search is cheaper than preparing for many.
    if quoted.find(object).is_none() {
        return false;
    }
    let (mut scanner, mut fed) = (Scanner::default(), 0);
    let has = quoted.find_iter(object).any(|at| {
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
    });
    has && is_object(object)
}

/// Whether this is one object by the grammar of RFC 8259, and nothing else. Colour codes count as
/// blanks.
fn is_object(mut json: &[u8]) -> bool {
    #[derive(Clone, Copy, Eq, PartialEq)]
    enum Expected {
        Value,
        ValueOrEnd,
        Key,
        KeyOrEnd,
        Colon,
        CommaOrEnd,
    }
    use Expected::{Colon, CommaOrEnd, Key, KeyOrEnd, Value, ValueOrEnd};

    if !json.starts_with(b"{") {
        return false;
    }
    let (mut open, mut expected) = (Vec::new(), Value);
    while let [byte, rest @ ..] = json {
        json = rest;
        expected = match (byte, expected) {
            (b' ' | b'\t' | b'\r' | b'\n', expected) => expected,
            (b'\x1b', expected) => {
                let end = json.iter().position(u8::is_ascii_alphabetic);
                json = end.map_or(&[][..], |end| &json[end + 1..]);
                expected
            }
            (b'{', Value | ValueOrEnd) => {
                open.push(b'}');
                KeyOrEnd
            }
            (b'[', Value | ValueOrEnd) => {
                open.push(b']');
                ValueOrEnd
            }
            (b'}', KeyOrEnd | CommaOrEnd) | (b']', ValueOrEnd | CommaOrEnd) => {
                if open.pop() != Some(*byte) {
                    return false;
                }
                if open.is_empty() {
                    return json.trim_ascii().is_empty();
                }
                CommaOrEnd
            }
            (b'"', Value | ValueOrEnd | Key | KeyOrEnd) => {
                let mut escaped = false;
                let end = json.iter().position(|&byte| {
                    let ends = byte == b'"' && !escaped;
                    escaped = byte == b'\\' && !escaped;
                    ends || byte < b' ' && byte != b'\x1b'
                });
                let Some((b'"', rest)) = end.and_then(|end| json[end..].split_first()) else {
                    return false;
                };
                json = rest;
                match expected {
                    Key | KeyOrEnd => Colon,
                    _ => CommaOrEnd,
                }
            }
            (b':', Colon) => Value,
            (b',', CommaOrEnd) => match open.last() {
                Some(b'}') => Key,
                _ => Value,
            },
            (b'-' | b'0'..=b'9' | b'a'..=b'z', Value | ValueOrEnd) => {
                let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                let more = json.iter().take_while(|byte| in_word(byte)).count();
                let word = [&[*byte], &json[..more]].concat();
                let is_number = !byte.is_ascii_alphabetic()
                    && std::str::from_utf8(&word).is_ok_and(|word| word.parse::<f64>().is_ok());
                if !is_number && ![&b"true"[..], b"false", b"null"].contains(&&word[..]) {
                    return false;
                }
                json = &json[more..];
                CommaOrEnd
            }
            _ => return false,
        };
    }
    false
}
