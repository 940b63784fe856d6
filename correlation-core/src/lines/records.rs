use memchr::{memchr, memrchr};

use super::json::{self, Scanner, Start, Step};
use super::{Format, Tagger, split_ending};
use crate::context::Context;

/// The state of a record that has come only in part.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum State {
    /// Nothing is known yet, or the held bytes show the type of the record.
    #[default]
    Start,
    /// The record is an object so far. It opens at `open`, and `scanned` bytes have been read.
    Object {
        scanner: Scanner,
        open: usize,
        scanned: usize,
    },
    /// The record looked like an object, but its first line is text.
    Line,
    /// The beginning of a line of text is written.
    RestOfLine { blank: bool },
    /// The beginning of an object is written, with the ID.
    RestOfObject(Scanner),
}

/// One pass over bytes. They may hold the rest of a record, whole records, and the beginning of
/// one.
pub(super) struct Records<'a> {
    tagger: &'a Tagger,
    out: &'a mut Vec<u8>,
    /// The context of the current record.
    pub(super) context: Option<&'a Context>,
    /// The context of the records that begin in this pass.
    now: Option<&'a Context>,
    /// The record that was unfinished before this pass is complete.
    pub(super) finished: bool,
    /// Whether an object is held until the end of its line, so that both are written in one piece.
    waits: bool,
}

/// How many blanks may follow an object before it is written without the end of its line.
const MAX_BLANKS: usize = 256;

/// The result of one step of the pass.
enum Next {
    /// This many bytes were written, and the record is in this state.
    Took(usize, State),
    /// The record ended after this many bytes.
    Ended(usize),
    /// More bytes are needed.
    Wait(State),
}

impl<'a> Records<'a> {
    pub(super) const fn new(
        tagger: &'a Tagger,
        out: &'a mut Vec<u8>,
        context: Option<&'a Context>,
    ) -> Self {
        Self {
            tagger,
            out,
            context,
            now: context,
            finished: false,
            waits: true,
        }
    }

    /// Writes a whole record.
    #[cfg(feature = "log")]
    pub(super) fn whole(self, record: &[u8]) {
        self.finish(record, State::Start);
    }

    /// Writes the complete records. Returns how many bytes they have, and the state of the rest.
    pub(super) fn run(&mut self, bytes: &[u8], mut state: State) -> (usize, State) {
        let mut taken = 0;
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            let next = match state {
                State::Start => self.start(rest),
                State::Object {
                    scanner,
                    open,
                    scanned,
                } => self.object(rest, scanner, open, scanned),
                State::Line => self.line(rest, State::Line),
                State::RestOfLine { blank } => self.rest_of_line(rest, blank),
                State::RestOfObject(scanner) => self.rest_of_object(rest, scanner),
            };
            match next {
                Next::Took(more, then) => (taken, state) = (taken + more, then),
                Next::Ended(more) => {
                    (taken, state) = (taken + more, State::Start);
                    self.context = self.now;
                    self.finished = true;
                }
                Next::Wait(then) => return (taken, then),
            }
        }
        (taken, state)
    }

    fn start(&mut self, rest: &[u8]) -> Next {
        let format = self.tagger.format();
        if format == Some(Format::Text) {
            return self.line(rest, State::Start);
        }
        // Blank lines belong to no record, so they do not decide in which scope one begins.
        let blank = rest.len() - rest.trim_ascii_start().len();
        if let Some(at) = memrchr(b'\n', &rest[..blank]) {
            self.out.extend_from_slice(&rest[..=at]);
            return Next::Ended(at + 1);
        }
        match json::start(rest) {
            Start::Object(open) => Next::Took(
                0,
                State::Object {
                    scanner: Scanner::default(),
                    open,
                    scanned: open,
                },
            ),
            Start::Text => {
                self.tagger.settle(Format::Text);
                self.line(rest, State::Start)
            }
            Start::Unknown => Next::Wait(State::Start),
        }
    }

    fn line(&mut self, rest: &[u8], state: State) -> Next {
        let Some(at) = memchr(b'\n', rest) else {
            return Next::Wait(state);
        };
        self.text(&rest[..=at]);
        Next::Ended(at + 1)
    }

    fn object(&mut self, rest: &[u8], mut scanner: Scanner, open: usize, scanned: usize) -> Next {
        let mut before = scanner;
        match scanner.feed(&rest[scanned..]) {
            Step::More => Next::Wait(State::Object {
                scanner,
                open,
                scanned: rest.len(),
            }),
            Step::Done(more) => {
                let (object, after) = rest.split_at(scanned + more);
                let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
                let blanks = after.iter().take_while(blank).count();
                // Each piece looks at the blanks anew.
                let many = blanks > MAX_BLANKS;
                let newline = usize::from(after.get(blanks) == Some(&b'\n'));
                let next = json::start(&after[blanks..]);
                // The object is written with its newline, in one piece. The first record of a
                // writer is not an object if text follows on its line.
                let is_first = self.tagger.format().is_none();
                let open_end = blanks == after.len() || is_first && next == Start::Unknown;
                if self.waits && newline == 0 && open_end && !many {
                    // The last byte of the object is read again later.
                    let end = object.len() - 1;
                    before.feed(&object[scanned..end]);
                    return Next::Wait(State::Object {
                        scanner: before,
                        open,
                        scanned: end,
                    });
                }
                let alone =
                    newline == 1 || blanks == after.len() || matches!(next, Start::Object(_));
                let format = if alone { Format::Json } else { Format::Text };
                if self.tagger.settle(format) == Format::Text {
                    return Next::Took(0, State::Start);
                }
                self.open(&object[..open], &object[open..], true);
                self.out.extend_from_slice(&after[..blanks + newline]);
                Next::Ended(object.len() + blanks + newline)
            }
            Step::Broken(more) => {
                if self.tagger.settle(Format::Text) == Format::Text {
                    return Next::Took(0, State::Start);
                }
                // An object begins on a new line, after lines that are not objects.
                let broken = scanned + more;
                let line = &rest[..broken + usize::from(rest[broken] == b'\n')];
                match memrchr(b'\n', line) {
                    Some(at) => {
                        self.text(&rest[..=at]);
                        Next::Ended(at + 1)
                    }
                    None => self.line(rest, State::Line),
                }
            }
        }
    }

    fn rest_of_line(&mut self, rest: &[u8], blank: bool) -> Next {
        let (line, ending) = match memchr(b'\n', rest) {
            Some(at) => split_ending(&rest[..=at]),
            // If a newline follows later, the CR is part of the line ending.
            None => rest.split_at(rest.len() - usize::from(rest.ends_with(b"\r"))),
        };
        let blank = blank && line.trim_ascii().is_empty();
        self.out.extend_from_slice(line);
        if ending.ends_with(b"\n") {
            self.end_line(blank);
            self.out.extend_from_slice(ending);
            Next::Ended(line.len() + ending.len())
        } else if line.is_empty() {
            Next::Wait(State::RestOfLine { blank })
        } else {
            Next::Took(line.len(), State::RestOfLine { blank })
        }
    }

    fn rest_of_object(&mut self, rest: &[u8], mut scanner: Scanner) -> Next {
        let step = scanner.feed(rest);
        let (Step::Done(taken) | Step::Broken(taken)) = step else {
            self.out.extend_from_slice(rest);
            return Next::Took(rest.len(), State::RestOfObject(scanner));
        };
        self.out.extend_from_slice(&rest[..taken]);
        match step {
            Step::Done(_) => Next::Ended(taken),
            // The next record, on a line of its own.
            _ if scanner.is_at_line_start() => Next::Ended(taken),
            _ => Next::Took(taken, State::RestOfLine { blank: false }),
        }
    }

    /// Writes the held bytes of an unfinished record. Returns how many bytes were written, and the
    /// state of the rest. With `all`, it writes everything except a line ending.
    pub(super) fn spill(&mut self, bytes: &[u8], state: State, all: bool) -> (usize, State) {
        self.waits = false;
        let (taken, state) = self.run(bytes, state);
        let rest = &bytes[taken..];
        let (more, state) = self.spill_unfinished(rest, state, all);
        (taken + more, state)
    }

    fn spill_unfinished(&mut self, rest: &[u8], state: State, all: bool) -> (usize, State) {
        let is_text = self.tagger.format() == Some(Format::Text);
        match state {
            State::Object { scanner, open, .. }
                if self.tagger.settle(Format::Json) == Format::Json =>
            {
                self.open(&rest[..open], &rest[open..], false);
                (rest.len(), State::RestOfObject(scanner))
            }
            // A byte order mark or a `{` may begin text or an object.
            State::Start if !is_text && !all && json::start(rest) == Start::Unknown => {
                let blank = rest.len() - rest.trim_ascii_start().len();
                self.out.extend_from_slice(&rest[..blank]);
                (blank, State::Start)
            }
            State::Start if rest.is_empty() => (0, state),
            State::Start | State::Line | State::Object { .. } => self.run_on(rest, true),
            State::RestOfLine { blank } => self.run_on(rest, blank),
            State::RestOfObject(_) => (0, state),
        }
    }

    /// Writes the beginning of a line.
    fn run_on(&mut self, rest: &[u8], blank: bool) -> (usize, State) {
        match self.rest_of_line(rest, blank) {
            Next::Took(taken, state) => (taken, state),
            Next::Ended(taken) => (taken, State::Start),
            Next::Wait(state) => (0, state),
        }
    }

    /// Writes the rest, since nothing more will come.
    pub(super) fn finish(mut self, bytes: &[u8], state: State) {
        self.waits = false;
        let (taken, state) = self.run(bytes, state);
        let rest = &bytes[taken..];
        match state {
            State::RestOfLine { blank } => {
                self.out.extend_from_slice(rest);
                self.end_line(blank);
            }
            State::RestOfObject(_) => {}
            State::Start | State::Line | State::Object { .. } => {
                if !rest.trim_ascii().is_empty() {
                    self.tagger.settle(Format::Text);
                }
                self.text(rest);
            }
        }
    }

    /// Writes whole lines of text, or the last line.
    fn text(&mut self, lines: &[u8]) {
        match self.context {
            Some(context) => self.tagger.tag_text(self.out, lines, context),
            None => self.out.extend_from_slice(lines),
        }
    }

    fn end_line(&mut self, blank: bool) {
        if let Some(context) = self.context.filter(|_| !blank) {
            self.tagger.push_text(self.out, context);
        }
    }

    fn open(&mut self, before: &[u8], object: &[u8], complete: bool) {
        self.out.extend_from_slice(before);
        match self.context {
            Some(context) => self.tagger.push_object(self.out, object, context, complete),
            None => self.out.extend_from_slice(object),
        }
    }
}
