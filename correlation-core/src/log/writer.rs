use std::io::{self, Write};

use crate::line::{Keys, Lines};

/// Puts the ID on every line that is written: for loggers that are given an [`io::Write`].
///
/// ```
/// use correlation_core::{CorrelationId, log::log_writer, sync_scope};
/// use std::io::Write;
///
/// let mut file = Vec::new();
/// let id: CorrelationId = "click-1".parse()?;
/// sync_scope(id, || writeln!(log_writer(&mut file), "INFO order placed"))?;
/// assert_eq!(file, b"INFO order placed correlation_id=click-1\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A line is held back until it is complete. For `tracing` use `tag`, which cannot be put on the
/// wrong side of a worker thread.
pub fn log_writer<W: Write>(inner: W) -> LogWriter<W> {
    LogWriter(Lines::new(inner, Box::default()))
}

/// A writer with the ID: made by [`log_writer`].
#[derive(Debug)]
pub struct LogWriter<W: Write>(Lines<W, Box<Keys>>);

impl<W: Write> Write for LogWriter<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
