use std::cell::Cell;
use std::io::{self, Write};
use std::sync::Arc;

use ::tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::line::Keys;
use crate::context;

/// Puts the ID on every line that goes through a `tracing` writer.
///
/// ```
/// use correlation_core::{CorrelationId, sync_scope, tag};
/// # use std::sync::{Arc, Mutex};
/// # let file = Arc::new(Mutex::new(Vec::new()));
/// # let writer = file.clone();
///
/// let subscriber = tracing_subscriber::fmt()
///     .json()
/// #   .with_writer(move || Shared(writer.clone()))
///     .map_writer(tag)
///     .finish();
/// # struct Shared(Arc<Mutex<Vec<u8>>>);
/// # impl std::io::Write for Shared {
/// #     fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> { self.0.lock().unwrap().write(buf) }
/// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
/// # tracing::subscriber::with_default(subscriber, || {
/// sync_scope("click-1".parse::<CorrelationId>()?, || tracing::info!("order placed"));
/// # Ok::<(), correlation_core::InvalidId>(())
/// # })?;
/// // {"correlation_id":"click-1","timestamp":"...","fields":{"message":"order placed"},...}
/// # let file = file.lock().unwrap();
/// # assert!(file.starts_with(br#"{"correlation_id":"click-1","#));
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
///
/// The order with other writers matters once: with `tracing-appender`, tag the outside,
/// `tag(non_blocking)`, since its worker thread has no ID. The other way round does not compile.
pub fn tag<M>(make_writer: M) -> Tag<M> {
    Tag {
        inner: make_writer,
        keys: Arc::default(),
    }
}

/// A [`MakeWriter`] that puts the ID on every line: made by [`tag`].
#[derive(Clone, Debug)]
pub struct Tag<M> {
    inner: M,
    keys: Arc<Keys>,
}

impl<M> Tag<M> {
    /// The key of the ID: `correlation_id` unless set here, for instance to `http.request.id` for
    /// the Elastic Common Schema.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.keys = Arc::new(Keys::new(key));
        self
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Tag<M> {
    type Writer = TagWriter<'a, M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        TagWriter {
            inner: self.inner.make_writer(),
            keys: &self.keys,
            partial: Vec::new(),
        }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        TagWriter {
            inner: self.inner.make_writer_for(meta),
            keys: &self.keys,
            partial: Vec::new(),
        }
    }
}

/// The writer of one record: made by [`Tag`].
///
/// What is written in pieces is held back until its line is complete, or the writer is dropped,
/// and then goes out in one `write_all`.
#[derive(Debug)]
pub struct TagWriter<'a, W: Write> {
    inner: W,
    keys: &'a Keys,
    partial: Vec<u8>,
}

impl<W: Write> TagWriter<'_, W> {
    fn emit(&mut self, record: &[u8]) -> io::Result<()> {
        let keys = self.keys;
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

impl<W: Write> Write for TagWriter<'_, W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        // The fast path, and what `fmt` always does: a whole record in one call.
        if self.partial.is_empty() && piece.ends_with(b"\n") {
            self.emit(piece)?;
            return Ok(piece.len());
        }
        self.partial.extend_from_slice(piece);
        if let Some(end) = memchr::memrchr(b'\n', piece) {
            let rest = self
                .partial
                .split_off(self.partial.len() - (piece.len() - end - 1));
            let complete = std::mem::replace(&mut self.partial, rest);
            self.emit(&complete)?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Drop for TagWriter<'_, W> {
    fn drop(&mut self) {
        if !self.partial.is_empty() {
            let rest = std::mem::take(&mut self.partial);
            // Nobody is left to tell: `fmt` ignores errors of writing, too.
            let _ = self.emit(&rest);
        }
    }
}

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The most bytes that stay allocated for a thread between two records.
const KEEP: usize = 64 * 1024;

#[cfg(test)]
mod tests;
