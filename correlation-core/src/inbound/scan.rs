//! One pass over the headers of a request, which finds everything that a policy reads.

use arrayvec::ArrayVec;

use super::Source;
use crate::names::{TRACEPARENT, spellings, trim};

/// The header names that a policy looks for.
// In the map of `http`, skipping a header takes 25 instructions, and looking up a name takes 180.
// One pass is cheaper than three look-ups up to about 20 headers.
#[derive(Clone)]
pub(super) struct WatchedNames {
    names: Vec<&'static str>,
    /// The same names for messages, whose keys are looked up in each spelling.
    spellings: Vec<&'static [&'static str]>,
    /// Bit `n` is set if a name has `n` bytes (modulo 64). This alone skips most headers.
    lengths: u64,
}

impl WatchedNames {
    pub(super) fn new(sources: &[Source]) -> Self {
        let mut names = vec![TRACEPARENT];
        for name in sources.iter().map(|source| source.name) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let lengths = names.iter().fold(0, |bits, name| bits | length_bit(name));
        let spellings = names.iter().map(|name| spellings(name)).collect();
        Self {
            names,
            spellings,
            lengths,
        }
    }

    /// Returns each name with the keys that it may have in a message.
    pub(super) fn spellings(&self) -> impl Iterator<Item = (&'static str, &[&'static str])> {
        let names = self.names.iter().copied();
        names.zip(self.spellings.iter().copied())
    }

    /// Records each line of a header that is watched.
    // Passed by reference, since the arrays are too big to move for every request.
    #[inline]
    pub(super) fn scan<'h, N: AsRef<str>, V: AsRef<[u8]> + ?Sized>(
        &self,
        headers: impl IntoIterator<Item = (N, &'h V)>,
        found: &mut HeaderLines<'h>,
        lines: &mut FirstLines<'h, V>,
    ) {
        // Not a `for` loop: the closure has one caller, so the compiler inlines the whole pass.
        headers.into_iter().for_each(|(name, line)| {
            let name = name.as_ref();
            if self.lengths & length_bit(name) != 0 && self.record(name, line.as_ref(), found) {
                lines.push(line);
            }
        });
    }

    /// Whether this is the first line of a watched header.
    fn record<'h>(&self, name: &str, value: &'h [u8], found: &mut HeaderLines<'h>) -> bool {
        // Most maps already have names in lower case.
        let is = |watched: &&&str| **watched == name || watched.eq_ignore_ascii_case(name);
        let watched = self.names.iter().find(is);
        watched.is_some_and(|watched| found.add(watched, trim(value)))
    }
}

/// The first line of each header that was found, as it came.
pub(super) type FirstLines<'h, V> = ArrayVec<&'h V, MAX_WATCHED>;

/// The watched headers that a request has.
pub(super) struct HeaderLines<'h>(ArrayVec<(&'static str, Occurrence<'h>), MAX_WATCHED>);

impl<'h> HeaderLines<'h> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self(ArrayVec::new_const())
    }

    fn add(&mut self, name: &'static str, value: &'h [u8]) -> bool {
        if let Some(at) = self.position(name) {
            let known = &mut self.0[at].1;
            // A repeated `traceparent` is never valid. An ID may come twice with the same value.
            *known = match *known {
                Occurrence::One(first) if name != TRACEPARENT => agreed(first, value),
                _ => Occurrence::Conflict,
            };
            return false;
        }
        // The array has room for every watched name.
        self.0.try_push((name, Occurrence::One(value))).is_ok()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the header, if it is the only one that was found and has one value.
    #[inline]
    pub(super) fn only(&self) -> Option<(&'static str, &'h [u8])> {
        match *self.0.as_slice() {
            [(name, Occurrence::One(value))] => Some((name, value)),
            _ => None,
        }
    }

    /// Returns the position of a watched header in the order of the first lines. The name is in
    /// lower case.
    #[inline]
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        // Equal names are nearly always the same text in memory.
        let is = |known: &str| std::ptr::eq(known, name) || known == name;
        self.0.iter().position(|(known, _)| is(known))
    }

    /// Returns the header at a [position](Self::position).
    #[inline]
    pub(super) fn at(&self, position: usize) -> Occurrence<'h> {
        self.0[position].1
    }

    pub(super) fn header(&self, name: &str) -> Option<Occurrence<'h>> {
        self.position(name).map(|at| self.at(at))
    }
}

/// The combined value of all lines of one header.
#[derive(Clone, Copy)]
pub(super) enum Occurrence<'h> {
    /// One value, trimmed.
    One(&'h [u8]),
    /// Several values that differ.
    Conflict,
}

/// Combines the values of two lines.
fn agreed<'h>(first: &'h [u8], second: &'h [u8]) -> Occurrence<'h> {
    let single = |line| joined(line).unwrap_or(line);
    match single(first) {
        _ if first == second => Occurrence::One(first),
        value if value == single(second) => Occurrence::One(value),
        _ => Occurrence::Conflict,
    }
}

/// Returns the value of several lines that a proxy joined with commas (RFC 9110, section 5.3), if
/// they are all the same.
pub(super) fn joined(value: &[u8]) -> Option<&[u8]> {
    let mut values = value.split(|&byte| byte == b',').map(trim);
    let first = values.next()?;
    let (mut more, mut agree) = (false, !first.is_empty());
    for value in values {
        more = true;
        agree &= value == first;
    }
    (more && agree).then_some(first)
}

const fn length_bit(name: &str) -> u64 {
    1 << (name.len() % 64)
}

/// The maximum number of headers that the sources of a policy may read.
pub(super) const MAX_SOURCES: usize = 14;
/// The maximum number of watched headers: `traceparent`, and one for each source.
pub(super) const MAX_WATCHED: usize = 1 + MAX_SOURCES;
