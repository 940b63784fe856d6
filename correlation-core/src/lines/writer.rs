//! A writer around the writer of a logger.

use std::any::Any;
use std::cell::Cell;
use std::io::{self, ErrorKind, Write};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::records::{Records, State};
use super::{Format, Tagger};
use crate::context::{self, Context};
use crate::foreign;

/// A writer that puts the ID on each record. [`log_writer`](crate::log::log_writer) returns it, and
/// a [`Tag`](crate::Tag) makes one for each record of `tracing`.
///
/// The writer holds a record back until a line of text or an object is complete, or until you drop
/// the writer. Then it writes the record in one piece, with the ID of the scope in which the record
/// began. It holds at most 64 KiB of an incomplete record. Beyond that, and at `flush`, it writes
/// the part that it has. A line of text still gets its ID at its end, and an object has it at its
/// beginning.
///
/// If the inner writer fails before it took any bytes, `write` returns the error, and no bytes are
/// accepted. If it took a part of a record, the rest is written before anything else is accepted.
/// The same holds if the inner writer panics. If it is interrupted, it is called again.
#[derive(Debug)]
pub struct LogWriter<'a, W: Write> {
    inner: W,
    tagger: Tagging<'a>,
    /// Most writers get only whole records, so this is `None`.
    unfinished: Option<Box<Unfinished>>,
    /// The inner writer has panicked, so it is not called again.
    panicked: bool,
}

/// The tagger of this writer, or that of the `Tag` that made the writer.
#[derive(Debug)]
pub(super) enum Tagging<'a> {
    Own(Box<Tagger>),
    #[cfg_attr(not(feature = "tracing"), expect(dead_code))]
    Lent(&'a Tagger),
}

impl Deref for Tagging<'_> {
    type Target = Tagger;

    #[inline]
    fn deref(&self) -> &Tagger {
        match self {
            Self::Own(tagger) => tagger,
            Self::Lent(tagger) => tagger,
        }
    }
}

#[derive(Debug, Default)]
struct Unfinished {
    /// The bytes of an incomplete record, as they came.
    held: Vec<u8>,
    state: State,
    /// The context of the scope in which the record began.
    context: Option<Context>,
    /// The bytes that the inner writer still has to take. No bytes are accepted before.
    pending: Vec<u8>,
    /// How many of them it has taken.
    sent: usize,
}

/// Why the inner writer has not taken all bytes.
enum Failure {
    Error(io::Error),
    Panic(Box<dyn Any + Send>),
}

impl Failure {
    /// Returns the error, or goes on with the panic.
    fn raise(self) -> io::Error {
        match self {
            Self::Error(error) => error,
            Self::Panic(panic) => resume_unwind(panic),
        }
    }
}

impl Unfinished {
    fn is_empty(&self) -> bool {
        self.held.is_empty() && self.pending.is_empty() && self.state == State::Start
    }

    /// Whether the next byte begins a record.
    fn is_between_records(&self) -> bool {
        self.held.is_empty() && self.state == State::Start
    }
}

impl<'a, W: Write> LogWriter<'a, W> {
    pub(super) const fn new(inner: W, tagger: Tagging<'a>) -> Self {
        Self {
            inner,
            tagger,
            unfinished: None,
            panicked: false,
        }
    }

    /// Sets the format to text: each line is a record, whatever the message looks like.
    #[must_use]
    pub fn text(self) -> Self {
        self.with_format(Format::Text)
    }

    /// Sets the format to JSON: each object is a record. Lines that are not objects, such as a
    /// banner, get the ID at their end.
    #[must_use]
    pub fn json(self) -> Self {
        self.with_format(Format::Json)
    }

    fn with_format(mut self, format: Format) -> Self {
        self.tagger = Tagging::Own(Box::new(self.tagger.with_format(format)));
        self
    }

    /// Writes whole records in one call, as most loggers do.
    fn write_whole(&mut self, piece: &[u8]) -> Option<io::Result<usize>> {
        let tagger = &*self.tagger;
        let format = tagger.format()?;
        let whole = match format {
            Format::Text => piece.ends_with(b"\n"),
            Format::Json => tagger.is_json_line(piece),
        };
        if !whole {
            return None;
        }
        let mut buffer = take_buffer();
        let tagged = context::read(|context| {
            let Some(context) = context else {
                return Some(false);
            };
            match format {
                Format::Text => tagger.tag_text(&mut buffer, piece, context),
                Format::Json if tagger.finds_key(piece, context) => return None,
                Format::Json => tagger.push_object(&mut buffer, piece, context, false),
            }
            Some(true)
        });
        let Some(tagged) = tagged else {
            keep_buffer(buffer);
            return None;
        };
        let out = if tagged { &buffer } else { piece };
        let (taken, failure) = self.push(out);
        if failure.is_some() && taken > 0 {
            self.unfinished = Some(Box::new(Unfinished {
                pending: out[taken..].to_vec(),
                ..Unfinished::default()
            }));
        }
        keep_buffer(buffer);
        Some(match failure {
            Some(Failure::Error(_)) if taken > 0 => Ok(piece.len()),
            Some(failure) => Err(failure.raise()),
            None => Ok(piece.len()),
        })
    }

    fn write_piece(&mut self, unfinished: &mut Unfinished, piece: &[u8]) -> Result<usize, Failure> {
        self.drain(unfinished)?;
        let fresh = unfinished.is_between_records();
        let Unfinished {
            held,
            state,
            context,
            pending,
            ..
        } = unfinished;
        let before = held.len();
        let piece = &piece[..piece.len().min(LIMIT - before)];
        held.extend_from_slice(piece);

        // No state changes before the inner writer has taken some bytes.
        let mut panicked = Ok(());
        let mut out = take_buffer();
        let (taken, next, begun) = context::read(|now| {
            let first = if fresh { now } else { context.as_ref() };
            let mut records = Records::new(&self.tagger, &mut out, now);
            records.context = first;
            let (mut taken, mut next) = records.run(held, *state);
            if held.len() - taken >= LIMIT {
                let rest = &held[taken..];
                let (more, then) = records.spill(rest, next, true);
                (taken, next) = (taken + more, then);
            }
            // The record that is now unfinished began with this piece.
            let begun = (fresh || records.finished).then(|| now.cloned());
            (taken, next, begun)
        });
        let (written, failure) = self.push(&out);
        if let Some(failure) = failure {
            if written == 0 {
                held.truncate(before);
                keep_buffer(out);
                return Err(failure);
            }
            pending.extend_from_slice(&out[written..]);
            if let Failure::Panic(_) = failure {
                panicked = Err(failure);
            }
        }
        keep_buffer(out);
        held.drain(..taken);
        *state = next;
        if let Some(begun) = begun {
            *context = begun;
        }
        panicked.map(|()| piece.len())
    }

    /// Writes the held bytes, as far as the record can still get its ID later.
    fn spill(&mut self, unfinished: &mut Unfinished) -> Result<(), Failure> {
        self.drain(unfinished)?;
        let mut out = Vec::new();
        let mut records = Records::new(&self.tagger, &mut out, unfinished.context.as_ref());
        let (taken, next) = records.spill(&unfinished.held, unfinished.state, false);
        let (written, failure) = self.push(&out);
        if let Some(failure) = failure {
            if written > 0 {
                unfinished.pending.extend_from_slice(&out[written..]);
                unfinished.spilled(taken, next);
            }
            return Err(failure);
        }
        unfinished.spilled(taken, next);
        Ok(())
    }

    /// Writes all remaining bytes, since nothing will be added.
    fn finish(&mut self, unfinished: &mut Unfinished) {
        let context = unfinished.context.as_ref();
        let records = Records::new(&self.tagger, &mut unfinished.pending, context);
        records.finish(&unfinished.held, unfinished.state);
        // After this, no code can try again or see an error.
        let _ = self.drain(unfinished);
    }

    fn drain(&mut self, unfinished: &mut Unfinished) -> Result<(), Failure> {
        let (taken, failure) = self.push(&unfinished.pending[unfinished.sent..]);
        unfinished.sent += taken;
        if unfinished.sent == unfinished.pending.len() {
            unfinished.pending.clear();
            unfinished.sent = 0;
        }
        failure.map_or(Ok(()), Err)
    }

    /// Returns how many bytes the inner writer takes, and why it does not take all.
    fn push(&mut self, bytes: &[u8]) -> (usize, Option<Failure>) {
        let (mut taken, mut interruptions) = (0, 0);
        let inner = &mut self.inner;
        let pushed = catch_unwind(AssertUnwindSafe(|| {
            while taken < bytes.len() {
                match inner.write(&bytes[taken..]) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(more) => {
                        taken = bytes.len().min(taken + more);
                        interruptions = 0;
                    }
                    // Retried as `write_all` does, but not for ever.
                    Err(error)
                        if error.kind() == ErrorKind::Interrupted
                            && interruptions < INTERRUPTIONS =>
                    {
                        interruptions += 1;
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        }));
        self.panicked = pushed.is_err();
        let failure = match pushed {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Failure::Error(error)),
            Err(panic) => Some(Failure::Panic(panic)),
        };
        (taken, failure)
    }
}

impl Unfinished {
    fn spilled(&mut self, taken: usize, next: State) {
        self.held.drain(..taken);
        self.state = next;
    }
}

impl<W: Write> Write for LogWriter<'_, W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut unfinished = match self.unfinished.take() {
            Some(unfinished) => unfinished,
            None => match self.write_whole(piece) {
                Some(written) => return written,
                None => Box::default(),
            },
        };
        let written = self.write_piece(&mut unfinished, piece);
        if !unfinished.is_empty() {
            self.unfinished = Some(unfinished);
        }
        written.map_err(Failure::raise)
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(mut unfinished) = self.unfinished.take() {
            let spilled = self.spill(&mut unfinished);
            if !unfinished.is_empty() {
                self.unfinished = Some(unfinished);
            }
            spilled.map_err(Failure::raise)?;
        }
        self.inner.flush()
    }
}

impl<W: Write> Drop for LogWriter<'_, W> {
    fn drop(&mut self) {
        if let Some(mut unfinished) = self.unfinished.take()
            && !self.panicked
        {
            // A second panic would abort the process if a first one caused this drop.
            foreign::caught(|| self.finish(&mut unfinished));
        }
    }
}

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Takes the buffer instead of borrowing it. Code that logs during a write gets a new, empty
/// buffer.
fn take_buffer() -> Vec<u8> {
    BUFFER.try_with(Cell::take).unwrap_or_default()
}

fn keep_buffer(mut buffer: Vec<u8>) {
    if buffer.capacity() <= LIMIT {
        buffer.clear();
        let _ = BUFFER.try_with(|kept| kept.set(buffer));
    }
}

/// The maximum size of an unfinished record that is held, and of a buffer that a thread keeps.
pub(super) const LIMIT: usize = 64 * 1024;

/// How often in a row the inner writer may be interrupted before that is an error.
const INTERRUPTIONS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CorrelationId, sync_scope};

    #[test]
    fn a_thread_keeps_a_buffer_but_no_large_one() {
        let kept = |bytes: usize| {
            let record = [vec![b'x'; bytes], b"\n".to_vec()].concat();
            let mut writer = LogWriter::new(io::sink(), Tagging::Own(Box::new(Tagger::text())));
            sync_scope(CorrelationId::new(), || writer.write_all(&record).unwrap());
            BUFFER.take().capacity()
        };
        assert!((100..=LIMIT).contains(&kept(100)));
        assert_eq!(kept(LIMIT), 0);
    }
}
