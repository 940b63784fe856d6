use super::{MAX_HEADERS, Parser};
use crate::header::trim;
use crate::trace_context::TRACEPARENT;

/// The header names a policy looks for, prepared so that one pass over the headers of a request
/// finds them all.
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

    #[inline]
    pub(super) fn scan<'h>(
        &self,
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) -> Found<'_, 'h> {
        let mut found = Found {
            names: &self.names,
            seen: [Seen::Absent; MAX_WATCHED],
        };
        for (name, value) in headers {
            if self.lengths & length_bit(name) != 0 {
                found.add(name, value);
            }
        }
        found
    }
}

/// What one pass found.
pub(super) struct Found<'p, 'h> {
    names: &'p [&'static str],
    seen: [Seen<'h>; MAX_WATCHED],
}

impl<'h> Found<'_, 'h> {
    fn add(&mut self, name: &str, value: &'h [u8]) {
        // Most maps have their names in lower case already.
        let is = |watched: &&str| *watched == name || watched.eq_ignore_ascii_case(name);
        let at = self.names.iter().position(is);
        if let Some(slot) = at.and_then(|at| self.seen.get_mut(at)) {
            // A repeated `traceparent` is never valid; an ID may come twice if it is the same.
            slot.add(trim(value), at != Some(0));
        }
    }

    pub(super) fn traceparent(&self) -> Seen<'h> {
        self.seen[0]
    }

    /// The value of a watched header, in lower case.
    pub(super) fn header(&self, name: &str) -> Seen<'h> {
        let at = self.names.iter().position(|watched| *watched == name);
        at.and_then(|at| self.seen.get(at))
            .copied()
            .unwrap_or(Seen::Absent)
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

impl<'h> Seen<'h> {
    fn add(&mut self, value: &'h [u8], twins_agree: bool) {
        *self = match *self {
            Self::Absent => Self::One(value),
            Self::One(first) if twins_agree && first == value => Self::One(first),
            Self::One(_) | Self::Conflict => Self::Conflict,
        };
    }
}

const fn length_bit(name: &str) -> u64 {
    1 << (name.len() % 64)
}

/// `traceparent`, the ID headers, and two for each parser at most.
const MAX_WATCHED: usize = 1 + MAX_HEADERS + 5;
