//! The ID on every line that `tracing` writes, whatever the format.

#[cfg(feature = "init")]
pub mod init;

use std::sync::Arc;

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::writer::Tagging;
use super::{Format, LogWriter, Tagger};

/// Puts the ID on every line that goes through a `tracing` writer.
///
/// It wraps the writer, so it works with every formatter: the lines of `fmt` in all its forms, JSON,
/// logfmt, and whatever else is written through a [`MakeWriter`]. The ID is read at the moment a line
/// is written; no span is needed, and so none can be filtered out.
///
/// | the formatter writes | and this is added |
/// |---|---|
/// | text | ` correlation_id=ID` at the end of every line that is not blank |
/// | JSON, an object a line | `"correlation_id":"ID"` as the first key |
///
/// Beside it stands `trace_id` when a valid W3C `traceparent` came in. An object that has a key
/// already does not get it again. A line of text is left alone only if it ends with the pair, codes
/// of colours aside. Outside of any scope nothing is added.
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
/// # Text or JSON
///
/// The format belongs to the writer: the first record that is not blank settles it for this value
/// and its clones, or [`text`](Tag::text) and [`json`](Tag::json) say it. No later message can
/// change it, so a message that looks like a JSON record with another ID stays a line of text, and
/// ends with the ID of its own scope. Two formatters need a `tag` each.
///
/// The order with other writers matters once: with `tracing-appender`, tag the outside,
/// `tag(non_blocking)`, since its worker thread has no ID. The other way round does not compile.
pub fn tag<M>(make_writer: M) -> Tag<M> {
    Tag {
        inner: make_writer,
        tagger: Arc::default(),
    }
}

/// A [`MakeWriter`] that puts the ID on every line: made by [`tag`].
#[derive(Clone, Debug)]
pub struct Tag<M> {
    inner: M,
    tagger: Arc<Tagger>,
}

impl<M> Tag<M> {
    /// The key of the ID: `correlation_id` unless set here, for instance to `http.request.id` for
    /// the Elastic Common Schema.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.tagger = Arc::new(self.tagger.with_key(key));
        self
    }

    /// Says that the formatter writes text: each line gets the ID at its end, whatever a message
    /// looks like.
    ///
    /// Say it if the formatter writes nothing but the message.
    #[must_use]
    pub fn text(self) -> Self {
        self.format(Format::Text)
    }

    /// Says that the formatter writes JSON: each object gets the ID as its first key.
    ///
    /// Say it if something that is no object, such as a banner, may be written first. Such a line
    /// has the ID at its end.
    #[must_use]
    pub fn json(self) -> Self {
        self.format(Format::Json)
    }

    fn format(mut self, format: Format) -> Self {
        self.tagger = Arc::new(self.tagger.with_format(format));
        self
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Tag<M> {
    type Writer = LogWriter<'a, M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        LogWriter::new(self.inner.make_writer(), Tagging::Lent(&self.tagger))
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        LogWriter::new(
            self.inner.make_writer_for(meta),
            Tagging::Lent(&self.tagger),
        )
    }
}
