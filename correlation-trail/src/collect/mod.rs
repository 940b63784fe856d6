//! The records of one ID in one file.

mod build;
mod head;
mod relation;

use memchr::{memchr, memchr_iter, memrchr};

use crate::clean::clean;
use crate::format::{self, Body, Parsed};
use crate::id::Id;
use crate::record::Record;

use self::head::Head;
use self::relation::{is_heading, is_indented, is_of_other};

/// Takes the lines of a file and keeps the records of an ID.
///
/// A record is the line where its time is, and those after it that have none. It belongs to the
/// ID if any of them does.
#[derive(Debug)]
pub(crate) struct Collector<'a> {
    id: &'a Id,
    service: &'a str,
    file: &'a str,
    records: Vec<Record>,
    open: Option<Open>,
    /// How many lines are counted.
    lines: u64,
    /// The last line that is part of a record.
    taken: u64,
}

/// The last record, while the lines after it may belong to it.
#[derive(Debug)]
struct Open {
    /// Whether all lines do that do not start a record, or only those that show it.
    all: bool,
    /// How many more lines it may have.
    room: usize,
    /// Blank lines, which belong to it if something follows.
    blanks: usize,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(id: &'a Id, service: &'a str, file: &'a str) -> Self {
        Self {
            id,
            service,
            file,
            records: Vec::new(),
            open: None,
            lines: 0,
            taken: 0,
        }
    }

    /// Takes `bytes[from..]`, whole lines; those before were taken already.
    pub(crate) fn add(&mut self, bytes: &[u8], from: usize) {
        let (mut at, mut counted) = (from, from);
        while at < bytes.len() {
            let start = if self.open.is_some() {
                at
            } else {
                // Almost all lines are somebody else's: they are not even split.
                let Some(hit) = self.id.find(&bytes[at..]) else {
                    break;
                };
                at + memrchr(b'\n', &bytes[at..at + hit]).map_or(0, |newline| newline + 1)
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

    /// The records, in the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Record> {
        // With nothing above to tell the time, what is below has to.
        let first = self.records.iter().find_map(|record| record.time);
        let mut timeless = self.records.iter_mut();
        while let Some(record) = timeless.next().filter(|record| record.time.is_none()) {
            record.time = first;
            record.estimated = first.is_some();
        }
        self.records
    }

    fn line(&mut self, line: &[u8], above: &[u8]) {
        let text = clean(line);
        let body = Body::of(&text);
        let has_id = self.id.is_in(&body.text);
        if !self.continues(&body, has_id) && has_id {
            self.start(&body, above);
        }
    }

    /// Adds a line to the record that is open, if it belongs there.
    fn continues(&mut self, body: &Body<'_>, has_id: bool) -> bool {
        let (Some(open), Some(record)) = (&mut self.open, self.records.last_mut()) else {
            return false;
        };
        let text = &body.text;
        if text.trim().is_empty() && open.blanks < open.room {
            open.blanks += 1;
            return true;
        }
        let shows = is_indented(text) || is_heading(text);
        let may = has_id || !is_of_other(text) && (open.all || shows);
        // What a container gives a time, line by line, is a record only where there is no better.
        let starts = format::starts_record(text) || body.time.is_some() && !open.all && !shows;
        if !may || open.room <= open.blanks || starts {
            self.open = None;
            return false;
        }
        let blanks = std::mem::take(&mut open.blanks);
        open.room -= blanks + 1;
        let blank_lines = std::iter::repeat_n(String::new(), blanks);
        record.continuation.extend(blank_lines);
        let line = build::continuation(text, self.id.as_str());
        record.continuation.push(line);
        self.taken = self.lines + 1;
        true
    }

    /// Makes a record of a line that belongs to none.
    fn start(&mut self, body: &Body<'_>, above: &[u8]) {
        let number = self.lines + 1;
        let mut parsed = format::parse(&body.text);
        let is_text = !body.text.starts_with('{');
        let mut open = Open {
            all: is_text && parsed.time.is_some(),
            room: MOST_LINES,
            blanks: 0,
        };
        parsed.time = parsed.time.or(body.time);
        let service = body.service.as_deref();
        let head = parsed.time.is_none().then(|| Head::of(above)).flatten();
        let record = match head {
            None => self.record(parsed, service, number),
            // The inside of something that starts above, where the ID was not told.
            Some(head)
                if is_indented(&body.text)
                    && !head.is_of_other
                    && number - head.distance > self.taken =>
            {
                let start = number - head.distance;
                let mut record = self.record(head.parsed, head.service.as_deref(), start);
                let line = build::continuation(&body.text, self.id.as_str());
                record
                    .continuation
                    .extend(head.between.into_iter().chain([line]));
                open.all = true;
                record
            }
            Some(head) => {
                parsed.time = head.parsed.time;
                let mut record = self.record(parsed, service, number);
                record.estimated = true;
                record
            }
        };
        self.records.push(record);
        self.taken = number;
        self.open = Some(open);
    }

    fn record(&self, parsed: Parsed, service: Option<&str>, line: u64) -> Record {
        let mut record = build::record(parsed, self.id.as_str());
        if record.service.is_empty() {
            service
                .unwrap_or(self.service)
                .clone_into(&mut record.service);
        }
        self.file.clone_into(&mut record.file);
        record.line = line;
        record
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// How many lines one record may have: enough for a deep backtrace, and an end where the rest of
/// the file has no times.
const MOST_LINES: usize = 200;

#[cfg(test)]
mod tests;
