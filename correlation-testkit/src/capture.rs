//! Captures the output of a logger for a test.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use crate::process::DEADLINE;

/// A writer that keeps each `write` apart. Clones share their content.
#[derive(Clone, Debug, Default)]
pub struct Capture(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept {
    pieces: Mutex<Vec<Vec<u8>>>,
    more: Condvar,
}

impl Capture {
    /// Returns everything that was written, as bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces().concat()
    }

    /// Returns everything that was written, as text.
    ///
    /// # Panics
    ///
    /// If it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        text(&self.pieces())
    }

    /// Returns the lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// Returns the lines that contain all of these words.
    #[must_use]
    pub fn lines_with(&self, words: &[&str]) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| words.iter().all(|word| line.contains(word)));
        lines
    }

    /// Returns the first line that contains this text. Another thread may be about to write it.
    ///
    /// # Panics
    ///
    /// If there is none within the deadline.
    #[must_use]
    pub fn line_with(&self, word: &str) -> String {
        let mut pieces = self.pieces();
        loop {
            let text = text(&pieces);
            if let Some(line) = text.lines().find(|line| line.contains(word)) {
                return line.to_owned();
            }
            let waited = self.0.more.wait_timeout(pieces, DEADLINE);
            let (more, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            assert!(!waited.timed_out(), "no {word:?} in:\n{text}");
            pieces = more;
        }
    }

    /// Returns the lines as JSON.
    ///
    /// # Panics
    ///
    /// If a line is not JSON.
    #[must_use]
    pub fn records(&self) -> Vec<Value> {
        let text = self.text();
        let records = text.lines().map(serde_json::from_str);
        records.map(|record| record.expect("JSON")).collect()
    }

    /// Returns the number of calls of `write`.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.pieces().len()
    }

    fn pieces(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        let pieces = self.0.pieces.lock();
        pieces.unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(pieces: &[Vec<u8>]) -> String {
    String::from_utf8(pieces.concat()).expect("a log is UTF-8")
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pieces().push(bytes.to_vec());
        self.0.more.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Capture {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
