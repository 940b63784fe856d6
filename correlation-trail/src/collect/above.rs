//! The nearest line above that has a time.

use memchr::memrchr;

use super::{Collector, MOST_LINES, is_of_other};
use crate::clean::clean;
use crate::format::{self, Body, Parsed};
use crate::time::Timestamp;

/// The nearest line with a time, for lines below it that have none. Each line is looked at once, so
/// a file without times takes no longer than one with times.
#[derive(Debug, Default)]
pub(super) struct Above {
    /// The number of the last line that was looked at.
    pub(super) seen: u64,
    /// The number of the line with the time, if there is one.
    pub(super) line: u64,
    pub(super) parsed: Parsed,
    pub(super) time: Option<(Timestamp, u32)>,
    /// Whether this line, or a line since, has a different ID.
    pub(super) is_of_other: bool,
    /// The number of lines since that were looked at without finding a time.
    pub(super) vain: usize,
}

impl Collector<'_> {
    /// Looks for the nearest line with a time, from the end of `above`.
    pub(super) fn look_back(&mut self, mut above: &[u8], number: u64) {
        let (mut found, mut other) = (false, false);
        let mut line = number - 1;
        // If so many lines have no time, the others have none either.
        let hopeless = self.above.vain > 5 * MOST_LINES;
        let most = if hopeless { 2 } else { MOST_LINES as u64 };
        while line > self.above.seen && line + most >= number && !found {
            self.above.vain += 1;
            let Some(lines) = above.strip_suffix(b"\n") else {
                break;
            };
            let start = memrchr(b'\n', lines).map_or(0, |at| at + 1);
            let text = clean(&lines[start..]);
            let body = Body::of(&text);
            other |= is_of_other(&body.text);
            let parsed = body.complete(format::parse(&body.text));
            if let Some(time) = self.time(&parsed) {
                found = true;
                self.above = Above {
                    line,
                    parsed,
                    time: Some(time),
                    ..Above::default()
                };
            } else if parsed.is_head {
                found = true;
                self.above = Above {
                    line,
                    parsed,
                    ..Above::default()
                };
            }
            above = &above[..start];
            line -= 1;
        }
        self.above.is_of_other |= other;
        self.above.seen = number - 1;
    }

    /// Remembers a line right below the last one, with all that is known about it.
    pub(super) fn look_at(&mut self, body: &Body<'_>, parsed: Parsed, number: u64) {
        let time = self.time(&parsed);
        if time.is_some() || parsed.is_head {
            self.above = Above {
                line: number,
                parsed,
                time,
                ..Above::default()
            };
        }
        self.above.is_of_other |= is_of_other(&body.text);
        self.above.seen = number;
    }
}

/// Returns the last lines of `above` as text, without their wrappers.
pub(super) fn lines_from(mut above: &[u8], count: u64) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..count {
        let Some(whole) = above.strip_suffix(b"\n") else {
            break;
        };
        let start = memrchr(b'\n', whole).map_or(0, |at| at + 1);
        lines.push(Body::of(&clean(&whole[start..])).text.into_owned());
        above = &above[..start];
    }
    lines.reverse();
    lines
}
