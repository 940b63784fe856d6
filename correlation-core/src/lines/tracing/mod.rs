//! Puts the ID on every line that `tracing` writes, in any format.

#[cfg(feature = "init")]
pub mod init;

use std::sync::Arc;

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::writer::Tagging;
use super::{Format, LogWriter, Tagger};
use crate::diagnostics::InvalidSetting;
use crate::names::TRACE_ID;

/// Puts the ID on every line that goes through a `tracing` writer.
///
/// It wraps the writer, so it works with every formatter that writes through a [`MakeWriter`]:
/// `fmt` in all its forms, JSON, logfmt and others. The ID is read when a line is written. It needs
/// no span, so no filter of spans can remove it.
///
/// | the formatter writes | `tag` adds |
/// |---|---|
/// | text | ` correlation_id=ID` at the end of every line that is not blank |
/// | JSON, one object per line | `"correlation_id":"ID"` as the first key |
///
/// It also adds `trace_id` if the context has a W3C trace. An object that already has one of the
/// keys does not get it again. A line of text stays unchanged only if it already ends with the
/// pair; colour codes do not count. Outside any scope, nothing is added.
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
/// The format is a property of the writer. The first record that is not blank sets it for this
/// value and its clones, or you set it with [`text`](Tag::text) or [`json`](Tag::json). No later
/// message can change it. A text message that looks like a JSON record with another ID stays text.
/// Its line ends with the ID of its own scope. If you have two formatters, use a separate `tag` for
/// each.
///
/// The order of writers matters with `tracing-appender`: write `tag(non_blocking)`, since its
/// worker thread has no ID. The other order does not compile.
pub fn tag<M>(make_writer: M) -> Tag<M> {
    Tag {
        inner: make_writer,
        tagger: Arc::default(),
    }
}

/// A [`MakeWriter`] that puts the ID on every line. [`tag`] returns it.
#[derive(Clone, Debug)]
pub struct Tag<M> {
    inner: M,
    tagger: Arc<Tagger>,
}

impl<M> Tag<M> {
    /// Sets the key of the ID, which is `correlation_id` by default. For example, the Elastic
    /// Common Schema uses `http.request.id`.
    ///
    /// # Panics
    ///
    /// If the key is empty, is `trace_id`, which is the key of the trace-id, or has other characters
    /// than those of ASCII without `"`, `\`, `=`, blanks and control characters.
    #[track_caller]
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        let allowed = |byte: u8| byte.is_ascii_graphic() && !br#""\="#.contains(&byte);
        let reason = if key.is_empty() {
            Some("a key cannot be empty")
        } else if key == TRACE_ID {
            Some("is the key of the trace-id")
        } else if !key.bytes().all(allowed) {
            Some("a key is ASCII without quotes, backslashes, `=`, blanks and control characters")
        } else {
            None
        };
        if let Some(reason) = reason {
            panic!(
                "{}",
                InvalidSetting::new("key", format!("{key:?}: {reason}"))
            );
        }
        self.tagger = Arc::new(self.tagger.with_key(key));
        self
    }

    /// Sets the format to text: each line gets the ID at its end, whatever the message looks like.
    ///
    /// Set it if the formatter writes only the message.
    #[must_use]
    pub fn text(self) -> Self {
        self.format(Format::Text)
    }

    /// Sets the format to JSON: each object gets the ID as its first key.
    ///
    /// Set it if something that is not an object, such as a banner, may be written first. Such a
    /// line gets the ID at its end.
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
