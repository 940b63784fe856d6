//! The SDK's trace-id on every log line, next to the correlation ID.

use std::io::{self, Write};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::policies::trace_id;

/// Adds `trace_id` to every line that is written inside a span: at the end of text, and as a
/// separate key in JSON.
///
/// Write `.map_writer(trace_tag).map_writer(correlation::tag)` in this order, so that `tag` passes
/// on whole records. Like `tag`, it reads the value when the line is written.
pub fn trace_tag<M>(make_writer: M) -> TraceTag<M> {
    TraceTag(make_writer)
}

/// A [`MakeWriter`] that adds `trace_id`. [`trace_tag`] makes it.
#[derive(Clone, Debug)]
pub struct TraceTag<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for TraceTag<M> {
    type Writer = TraceWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        TraceWriter(self.0.make_writer())
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        TraceWriter(self.0.make_writer_for(meta))
    }
}

/// The writer of one record. [`TraceTag`] makes it.
#[derive(Debug)]
pub struct TraceWriter<W>(W);

impl<W: Write> Write for TraceWriter<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let Some(id) = trace_id() else {
            return self.0.write(record);
        };
        let mut out = Vec::with_capacity(record.len() + 48);
        if let Some(members) = record.strip_prefix(b"{\"") {
            write!(out, "{{\"trace_id\":\"{id}\",\"")?;
            out.extend_from_slice(members);
        } else {
            for line in record.split_inclusive(|&byte| byte == b'\n') {
                let text = line.trim_ascii_end();
                out.extend_from_slice(text);
                if !text.is_empty() {
                    write!(out, " trace_id={id}")?;
                }
                out.extend_from_slice(&line[text.len()..]);
            }
        }
        self.0.write_all(&out)?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
