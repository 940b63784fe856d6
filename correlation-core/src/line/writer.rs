use std::cell::Cell;
use std::io::{self, Write};
use std::mem;
use std::ops::Deref;

use super::Keys;
use crate::context;

/// Puts the ID on the lines that are written.
///
/// What is written in pieces is held back until its line is complete, or the writer is dropped,
/// and then goes out in one `write_all`.
#[derive(Debug)]
pub(crate) struct Lines<W: Write, K: Deref<Target = Keys>> {
    inner: W,
    keys: K,
    partial: Vec<u8>,
}

impl<W: Write, K: Deref<Target = Keys>> Lines<W, K> {
    pub(crate) const fn new(inner: W, keys: K) -> Self {
        Self {
            inner,
            keys,
            partial: Vec::new(),
        }
    }

    fn emit(&mut self, record: &[u8]) -> io::Result<()> {
        let keys = &*self.keys;
        // Taken, not borrowed: whatever logs while we write finds an empty buffer of its own.
        let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
        let tagged = context::with_current(|context| match context {
            Some(context) => {
                keys.tag(&mut buffer, record, context);
                true
            }
            None => false,
        });
        let written = self.inner.write_all(if tagged { &buffer } else { record });
        buffer.clear();
        if buffer.capacity() <= KEEP {
            let _ = BUFFER.try_with(|kept| kept.set(buffer));
        }
        written
    }
}

impl<W: Write, K: Deref<Target = Keys>> Write for Lines<W, K> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        // The fast path, and what most loggers do: a whole record in one call.
        if self.partial.is_empty() && piece.ends_with(b"\n") {
            self.emit(piece)?;
            return Ok(piece.len());
        }
        self.partial.extend_from_slice(piece);
        if let Some(end) = memchr::memrchr(b'\n', piece) {
            let kept = piece.len() - end - 1;
            let rest = self.partial.split_off(self.partial.len() - kept);
            let complete = mem::replace(&mut self.partial, rest);
            self.emit(&complete)?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write, K: Deref<Target = Keys>> Drop for Lines<W, K> {
    fn drop(&mut self) {
        if !self.partial.is_empty() {
            let rest = mem::take(&mut self.partial);
            // Nobody is left to tell: loggers ignore errors of writing, too.
            let _ = self.emit(&rest);
        }
    }
}

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The most bytes that stay allocated for a thread between two records.
const KEEP: usize = 64 * 1024;
