use arrayvec::ArrayVec;

use super::{MAX_HEADERS, Parser};
use crate::header::trim;
use crate::trace_context::TRACEPARENT;

/// The header names a policy looks for, prepared so that one pass over the headers of a request
/// finds them all.
// In the map of `http`, a header costs 25 instructions to pass over, a name 180 to look up: one
// pass is cheaper than three look-ups up to about 20 headers.
#[derive(Clone)]
pub(super) struct Watched {
    names: Vec<&'static str>,
    /// Bit `n` is set if a name has `n` bytes: most headers are passed over by that alone.
    lengths: u64,
}

impl Watched {
    pub(super) fn new(headers: &[&'static str], parsers: &[Parser]) -> Self {
        let parsed = parsers.iter().flat_map(|parser| parser.headers()).copied();
        let mut names = vec![TRACEPARENT];
        for name in headers.iter().copied().chain(parsed) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let lengths = names.iter().fold(0, |bits, name| bits | length_bit(name));
        Self { names, lengths }
    }

    /// `found` is lent, not returned: it is too big to be moved for every request.
    #[inline]
    pub(super) fn scan<'h, N: AsRef<str>, V: Copy>(
        &self,
        headers: impl IntoIterator<Item = (N, V)>,
        bytes: fn(V) -> &'h [u8],
        found: &mut Found<'h>,
        lines: &mut Lines<V>,
    ) {
        for (name, line) in headers {
            let name = name.as_ref();
            if self.lengths & length_bit(name) != 0 && self.look(name, bytes(line), found) {
                lines.push(line);
            }
        }
    }

    /// Whether this is the first line of a watched header.
    fn look<'h>(&self, name: &str, value: &'h [u8], found: &mut Found<'h>) -> bool {
        // Most maps have their names in lower case already.
        let is = |watched: &&&str| **watched == name || watched.eq_ignore_ascii_case(name);
        let watched = self.names.iter().find(is);
        watched.is_some_and(|watched| found.add(watched, trim(value)))
    }
}

/// The first line of each header that was found, in the form in which the caller gave it.
pub(super) type Lines<V> = ArrayVec<V, MAX_WATCHED>;

/// What one pass found: nothing at all for most names, so that is not even stored.
pub(super) struct Found<'h>(ArrayVec<(&'static str, Seen<'h>), MAX_WATCHED>);

impl<'h> Found<'h> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self(ArrayVec::new_const())
    }

    fn add(&mut self, name: &'static str, value: &'h [u8]) -> bool {
        if let Some(at) = self.position(name) {
            let seen = &mut self.0[at].1;
            // A repeated `traceparent` is never valid; an ID may come twice if it is the same.
            let agrees = matches!(seen, Seen::One(first) if *first == value);
            if !agrees || name == TRACEPARENT {
                *seen = Seen::Conflict;
            }
            return false;
        }
        // There is room for every name that is watched.
        self.0.try_push((name, Seen::One(value))).is_ok()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where in the order of the lines a watched header is, its name in lower case.
    #[inline]
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        // The same name nearly always is the same text in memory.
        let is = |known: &str| std::ptr::eq(known, name) || known == name;
        self.0.iter().position(|(known, _)| is(known))
    }

    pub(super) fn header(&self, name: &str) -> Seen<'h> {
        self.position(name).map_or(Seen::Absent, |at| self.0[at].1)
    }
}

/// The lines of one header.
#[derive(Clone, Copy)]
pub(super) enum Seen<'h> {
    Absent,
    /// The value, trimmed.
    One(&'h [u8]),
    /// Several lines that do not agree.
    Conflict,
}

const fn length_bit(name: &str) -> u64 {
    1 << (name.len() % 64)
}

/// `traceparent`, the ID headers, and two for each parser at most.
const MAX_WATCHED: usize = 1 + MAX_HEADERS + 5;
