//! The line above that has the time.

use memchr::memrchr;

use super::relation::is_of_other;
use super::{MOST_LINES, build};
use crate::clean::clean;
use crate::format::{self, Body, Parsed};

/// The nearest line with a time above one that has none.
pub(super) struct Head {
    pub(super) parsed: Parsed,
    pub(super) service: Option<String>,
    /// The lines between the two.
    pub(super) between: Vec<String>,
    /// How many lines up it is.
    pub(super) distance: u64,
    /// Whether it, or a line between, has the ID of another.
    pub(super) is_of_other: bool,
}

impl Head {
    /// Looks for it from the end of `above`.
    pub(super) fn of(mut above: &[u8]) -> Option<Self> {
        let (mut between, mut other) = (Vec::new(), false);
        for distance in 1..=MOST_LINES as u64 {
            let lines = above.strip_suffix(b"\n")?;
            let start = memrchr(b'\n', lines).map_or(0, |at| at + 1);
            let text = clean(&lines[start..]);
            let body = Body::of(&text);
            other |= is_of_other(&body.text);
            let mut parsed = format::parse(&body.text);
            parsed.time = parsed.time.or(body.time);
            if parsed.time.is_some() {
                between.reverse();
                return Some(Self {
                    parsed,
                    service: body.service,
                    between,
                    distance,
                    is_of_other: other,
                });
            }
            between.push(build::bounded(body.text.into_owned()));
            above = &above[..start];
        }
        None
    }
}
