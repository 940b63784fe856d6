use std::io::{self, Write};
use std::sync::Arc;

use ::tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::line::{Keys, Lines};

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
        TagWriter(Lines::new(self.inner.make_writer(), &self.keys))
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        TagWriter(Lines::new(self.inner.make_writer_for(meta), &self.keys))
    }
}

/// The writer of one record: made by [`Tag`].
///
/// What is written in pieces is held back until its line is complete, or the writer is dropped,
/// and then goes out in one `write_all`.
#[derive(Debug)]
pub struct TagWriter<'a, W: Write>(Lines<W, &'a Keys>);

impl<W: Write> Write for TagWriter<'_, W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests;
