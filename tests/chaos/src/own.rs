//! The log of this process: its producers, consumers and clients of the database write through the
//! library's writer, and the lines go to the ledger of the part that writes them.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use correlation_core::tag;

use crate::ledger::Ledger;
use crate::life::lock;

/// A ledger that this process shares with itself.
pub(crate) type Own = Arc<Mutex<Ledger>>;

/// Lines of this target go to this ledger.
pub(crate) struct Part {
    pub(crate) target: &'static str,
    pub(crate) ledger: Own,
}

impl Part {
    pub(crate) fn new(name: &str, target: &'static str) -> Self {
        let ledger = Ledger::new(name.to_owned(), false, false);
        let ledger = Arc::new(Mutex::new(ledger));
        Self { target, ledger }
    }
}

/// Installs the logger.
pub(crate) fn log(parts: Vec<Part>) {
    if PARTS.set(parts).is_ok() {
        tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::INFO)
            .with_writer(tag(|| Log))
            .init();
    }
}

/// Where records end: the writer gives each in one piece.
struct Log;

impl io::Write for Log {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let is_of = |part: &&Part| {
            let target = format!("\"target\":\"{}\"", part.target);
            memchr::memmem::find(record, target.as_bytes()).is_some()
        };
        // Others, such as sqlx, say what belongs to no part.
        if let Some(part) = PARTS.get().into_iter().flatten().find(is_of) {
            let line = record.strip_suffix(b"\n").unwrap_or(record);
            lock(&part.ledger).line(line, false);
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static PARTS: OnceLock<Vec<Part>> = OnceLock::new();
