//! The records of one ID in one file.

mod above;
mod kept;
mod pieces;

use memchr::{memchr, memchr_iter, memrchr};

use crate::clean::clean;
use crate::format::{self, Body, Parsed, is_trace};
use crate::id::Id;
use crate::record::Record;
use crate::time::{Clock, Timestamp};

use self::above::{Above, lines_from};
use self::pieces::Pieces;

/// Takes the lines of a file and keeps the records of the ID.
///
/// A record is a line that has a time, together with the lines after it that have none. It belongs
/// to the ID if one of its lines has the ID.
#[derive(Debug)]
pub(crate) struct Collector<'a> {
    id: &'a Id,
    service: &'a str,
    file: &'a str,
    clock: &'a Clock,
    records: Vec<Record>,
    open: Vec<Open>,
    pieces: Pieces,
    /// The number of lines before the current one.
    lines: u64,
    /// The number of the last line that is part of a record.
    taken: u64,
    above: Above,
    is_timed: bool,
}

/// A record whose next lines may still belong to it. There is one for each source whose lines are
/// mixed in the file.
#[derive(Debug)]
struct Open {
    source: String,
    /// The index of the record.
    record: usize,
    /// Every line that does not start a record belongs to this one. Otherwise a line has to show
    /// that it belongs: by the ID, by its indentation, or as part of a stack trace.
    all: bool,
    /// The message of the record is in the next line.
    is_head: bool,
    /// The number of lines that the record may still get.
    room: usize,
    /// The number of blank lines, which belong to the record if another line follows.
    blanks: usize,
    /// The number of the last line that the record got.
    last: u64,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(id: &'a Id, service: &'a str, file: &'a str, clock: &'a Clock) -> Self {
        Self {
            id,
            service,
            file,
            clock,
            records: Vec::new(),
            open: Vec::new(),
            pieces: Pieces::default(),
            lines: 0,
            taken: 0,
            above: Above::default(),
            is_timed: false,
        }
    }

    /// Takes the whole lines of `bytes[from..]`. An earlier call took those of `bytes[..from]`.
    pub(crate) fn add(&mut self, bytes: &[u8], from: usize) {
        if self.lines == 0 {
            self.pieces.learn(&bytes[from..]);
        }
        let (mut at, mut counted) = (from, from);
        let mut hit = from;
        while at < bytes.len() {
            let start = if self.open.is_empty() && self.pieces.is_empty() {
                // Almost all lines belong to other IDs, and are not even split.
                if hit <= at {
                    hit = self
                        .id
                        .find(&bytes[at..])
                        .map_or(bytes.len(), |hit| at + hit);
                }
                let piece = self.pieces.next(&bytes[at..hit]).map(|piece| at + piece);
                if piece.is_none() && hit == bytes.len() {
                    break;
                }
                let near = piece.unwrap_or(hit);
                at + memrchr(b'\n', &bytes[at..near]).map_or(0, |newline| newline + 1)
            } else {
                at
            };
            let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at + 1);
            self.lines += newlines(&bytes[counted..start]);
            counted = start;
            let (above, line) = bytes[..end].split_at(start);
            self.line(line, above);
            at = end;
        }
        self.lines += newlines(&bytes[counted..]);
    }

    /// Takes one entry of a document. The entry starts in the line of this number.
    pub(crate) fn entry(&mut self, json: &str, line: u64) {
        self.lines = line.saturating_sub(1);
        if self.id.find(json.as_bytes()).is_some() {
            self.line(json.as_bytes(), b"");
        }
    }

    /// Continues with the line after this number.
    pub(crate) fn skip_to(&mut self, lines: u64) {
        self.lines = lines;
    }

    /// Takes the complete records, in the order of the file. With `all`, it takes every record, and
    /// no later line belongs to one of them.
    pub(crate) fn take(&mut self, all: bool) -> Vec<Record> {
        if all {
            for (line, body) in self.pieces.rest() {
                self.body(&body, line, false, b"");
            }
            self.open.clear();
        }
        let complete = self.open.iter().map(|open| open.record).min();
        let complete = complete.unwrap_or(self.records.len());
        let mut records: Vec<_> = self.records.drain(..complete).collect();
        for open in &mut self.open {
            open.record -= complete;
        }
        // If no line above has a time, the first record below that has one is used.
        let first = records.iter().find_map(|record| record.time);
        let mut timeless = records.iter_mut();
        while let Some(record) = timeless.next().filter(|record| record.time.is_none()) {
            record.time = first;
            record.estimated = first.is_some();
        }
        for record in &mut records {
            kept::tidy(record, self.id.as_str());
        }
        records
    }

    fn line(&mut self, line: &[u8], above: &[u8]) {
        let (text, number) = (clean(line), self.lines + 1);
        let mut is_told = self.id.is_in(&text);
        if self.pieces.may_be() {
            let mut outer = Body::outer(&text);
            for (line, body) in self.pieces.flushed(&outer) {
                self.body(&body, line, false, b"");
            }
            if outer.is_piece {
                return self.pieces.push(outer, number);
            }
            if let Some((line, joined)) = self.pieces.joined(&mut outer) {
                return self.body(&joined, line, false, b"");
            }
        } else if !is_told && self.open.is_empty() {
            return;
        }
        let mut body = Body::of(&text);
        // If one line has a time in front of its own, every line has.
        if self.is_timed && !body.is_timed {
            body.peel_time();
        }
        is_told |= self.id.is_in(&body.text);
        self.body(&body, number, is_told, above);
    }

    fn body(&mut self, body: &Body<'_>, number: u64, is_told: bool, above: &[u8]) {
        let has_id = is_told || self.id.is_in(&body.text);
        self.open
            .retain(|open| number <= open.last + MOST_LINES as u64);
        if !has_id && self.open.is_empty() {
            return;
        }
        let parsed = format::parse(&body.text);
        let continues = self.continues(body, &parsed, number, has_id);
        if has_id && !continues {
            self.start(body, parsed, number, above);
        } else if self.above.seen + 1 == number {
            self.look_at(body, body.complete(parsed), number);
        }
    }

    /// Adds a line to the record that is open, if it belongs there.
    fn continues(&mut self, body: &Body<'_>, parsed: &Parsed, number: u64, has_id: bool) -> bool {
        let of_source = |open: &Open| open.source == body.source;
        let Some(at) = self.open.iter().position(of_source) else {
            return false;
        };
        let time = self.time(parsed).map(|(time, _)| time);
        let (text, open) = (&body.text, &mut self.open[at]);
        // Android writes the whole head before each line of a stack trace.
        if let Some(record) = self.records.get_mut(open.record)
            && record.time == time
            && time.is_some()
            && (record.level, &record.target) == (parsed.level, &parsed.target)
            && is_trace(&parsed.message)
            && open.room > 0
        {
            open.room -= 1;
            open.last = number;
            self.taken = number;
            record
                .continuation
                .push(kept::bounded(parsed.message.clone()));
            return true;
        }
        if text.trim().is_empty() && open.blanks < open.room {
            open.blanks += 1;
            open.last = number;
            return true;
        }
        // ` WARN shop: ..` of `tracing` without times
        let padded = parsed.level.is_some() && text.starts_with(' ') && !text.starts_with("  ");
        let shows = !padded && (is_indented(text) || is_trace(text));
        // A longer ID that contains this one also belongs to a different action.
        let stranger = text.starts_with('[') && text.contains("] ") || self.id.is_part_of(text);
        // A line with only the time of a container is a record only if the open record has no
        // better time.
        let timed = !body.known.outer_times.is_empty() && !open.all;
        let levelled = parsed.level.is_some()
            || body.known.level.is_some() && body.known.outer_times.is_empty();
        let starts = parsed.time.is_some()
            || parsed.whole
            || text.starts_with("{\"")
            || !open.is_head && !shows && (levelled || parsed.is_head || timed);
        let may = has_id || shows || !stranger && (open.all || open.is_head);
        let other = !has_id && is_of_other(text);
        if !may || other || starts || open.room <= open.blanks {
            self.open.remove(at);
            return false;
        }
        let Some(record) = self.records.get_mut(open.record) else {
            return false;
        };
        let blanks = std::mem::take(&mut open.blanks);
        open.room -= blanks + 1;
        open.last = number;
        if open.is_head && kept::is_message(text) {
            open.is_head = false;
            record.message.clone_from(&parsed.message);
            record.level = record.level.or(parsed.level);
            record.fields.extend(parsed.fields.iter().cloned());
        } else {
            record
                .continuation
                .extend(std::iter::repeat_n(String::new(), blanks));
            record
                .continuation
                .extend(text.lines().map(|line| kept::bounded(line.to_owned())));
        }
        self.taken = number;
        true
    }

    /// Makes a record of a line that belongs to no open record.
    fn start(&mut self, body: &Body<'_>, parsed: Parsed, number: u64, above: &[u8]) {
        let mut all = !parsed.whole && parsed.time.is_some();
        let mut is_head = parsed.is_head && parsed.message.is_empty();
        let complete = body.complete(parsed);
        let time = self.time(&complete);
        let timed = time.is_some();
        if !timed {
            self.look_back(above, number);
        }
        let (first, other) = (self.above.line, self.above.is_of_other);
        let near = (1..number).contains(&first) && number - first <= MOST_LINES as u64;
        // This line is inside a record that starts above and whose ID was not seen there.
        let head = &self.above.parsed;
        let inside = is_indented(&body.text) || head.is_head || head.is_open;
        let record = if !timed && near && inside && !other && first > self.taken {
            all = true;
            let mut head = self.above.parsed.clone();
            if head.is_open {
                let lines = lines_from(above, number - first);
                let text = [&lines.join("\n"), body.text.as_ref()].join("\n");
                head = format::parse(&text);
            }
            let mut lines = Vec::new();
            if !self.above.parsed.is_open {
                lines = lines_from(above, number - first - 1);
                lines.push(body.text.clone().into_owned());
            }
            let mut record = self.record(head, self.above.time, first);
            let head_is_open = self.above.parsed.is_head && record.message.is_empty();
            if head_is_open {
                kept::fill(&mut record, &mut lines);
            }
            is_head = head_is_open && record.message.is_empty();
            record
                .continuation
                .extend(lines.into_iter().map(kept::bounded));
            record
        } else if !timed && near {
            let time = self.above.time;
            Record {
                estimated: time.is_some(),
                ..self.record(complete.clone(), time, number)
            }
        } else {
            self.record(complete.clone(), time, number)
        };
        self.is_timed |= body.is_timed;
        self.records.push(record);
        self.taken = number;
        let source = body.source.clone();
        self.open.retain(|open| open.source != source);
        self.open.truncate(MOST_SOURCES);
        self.open.push(Open {
            source,
            record: self.records.len() - 1,
            all,
            is_head,
            room: MOST_LINES,
            blanks: 0,
            last: number,
        });
        if timed {
            self.above.seen = number - 1;
        }
        self.look_at(body, complete, number);
    }

    /// Returns the time of a record, and the nanoseconds that its last digit counts.
    fn time(&self, parsed: &Parsed) -> Option<(Timestamp, u32)> {
        let times = parsed.time.iter().chain(&parsed.outer_times).copied();
        let time = self.clock.best(times)?;
        Some((self.clock.moment(time)?, time.unit))
    }

    fn record(&self, parsed: Parsed, time: Option<(Timestamp, u32)>, line: u64) -> Record {
        let mut lines = parsed.message.lines();
        let message = kept::bounded(lines.next().unwrap_or_default().to_owned());
        Record {
            time: time.map(|(time, _)| time),
            estimated: false,
            coarse: time.is_some_and(|(_, unit)| unit >= SECOND),
            unit: time.map_or(0, |(_, unit)| unit),
            service: parsed.service.unwrap_or_else(|| self.service.to_owned()),
            level: parsed.level,
            target: parsed.target,
            message,
            fields: parsed
                .fields
                .into_iter()
                .map(|(key, value)| (key, kept::bounded(value)))
                .collect(),
            continuation: lines.map(|line| kept::bounded(line.to_owned())).collect(),
            file: self.file.to_owned(),
            line,
        }
    }
}

/// Returns whether the line is inside something: a frame of a backtrace, or the `at` of a pretty
/// record.
fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// Returns whether a line without the ID has a different ID, under one of the usual keys.
fn is_of_other(line: &str) -> bool {
    line.match_indices(['=', ':']).any(|(at, _)| {
        let before = line[..at].trim_end_matches(['"', '\'', ' ', '\\']);
        let is_key = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let key = &before[before.trim_end_matches(is_key).len()..];
        let value = line[at + 1..].trim_start_matches(['"', '\'', ' ', '\\', '>', '[', '{']);
        (kept::is_usual(key) || key == "id" && !is_indented(line))
            && value.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// The maximum number of lines of one record. A deep backtrace fits, and a file without times still
/// ends.
const MOST_LINES: usize = 200;

/// The maximum number of sources whose lines are mixed.
const MOST_SOURCES: usize = 15;

const SECOND: u32 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn times_are_not_looked_for_without_end() {
        let (id, clock) = (Id::new("abc"), Clock::new(TimeZone::UTC, None));
        let mut collector = Collector::new(&id, "shop", "shop.log", &clock);
        let hits = 1_000;
        let block = "no time\n".repeat(MOST_LINES) + "no time id=abc\nid=other\n";
        collector.add(block.repeat(hits).as_bytes(), 0);
        assert_eq!(collector.records.len(), hits);
        // Of 200,000 lines.
        assert!(collector.above.vain < 7 * MOST_LINES + 2 * hits);
        collector.add(b"2026-11-22T14:15:50Z  INFO shop: id=abc\n", 0);
        assert_eq!(collector.above.vain, 0, "now there are times");
    }
}
