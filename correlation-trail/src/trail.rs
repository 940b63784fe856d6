//! The search for one ID.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::collect::Collector;
use crate::id::Id;
use crate::record::Record;
use crate::{Timeline, input, service};

/// Collects what was written under one ID.
///
/// ```
/// use correlation_trail::Trail;
///
/// let mut trail = Trail::new("click-1");
/// trail.reader("orders", &b"2026-11-22T14:15:50Z  INFO order stored correlation_id=click-1\n"[..])?;
/// assert_eq!(trail.finish().records()[0].message, "order stored");
/// # std::io::Result::Ok(())
/// ```
///
/// Files are read in pieces: memory is needed for what is found, and for one line, not for the
/// file.
#[derive(Debug)]
pub struct Trail {
    id: Id,
    records: Vec<Record>,
}

impl Trail {
    /// A search for `id`, which counts where it stands as a whole: not as a part of a longer ID.
    /// An empty ID is found nowhere.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: Id::new(id),
            records: Vec::new(),
        }
    }

    /// Reads a log file, or a compressed one (gzip, known by its first bytes). Where a record
    /// does not tell its service, the name of the file does: `orders` for `orders.log.2.gz`.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or read; the error names it. What was found up to there
    /// stays.
    pub fn file(&mut self, path: impl AsRef<Path>) -> io::Result<&mut Self> {
        let path = path.as_ref();
        let named = |doing: &str, error: &io::Error| {
            let message = format!("cannot {doing} {}: {error}", path.display());
            io::Error::new(error.kind(), message)
        };
        let file = File::open(path).map_err(|error| named("open", &error))?;
        let name = path.display().to_string();
        self.read(&service::of_file(path), &name, file)
            .map_err(|error| named("read", &error))
    }

    /// Reads logs from anywhere else, compressed or not. Where a record does not tell its
    /// service, it is `service`, which also stands for the name of the file.
    ///
    /// # Errors
    ///
    /// Those of the reader. What was found up to there stays.
    pub fn reader(&mut self, service: &str, reader: impl Read) -> io::Result<&mut Self> {
        self.read(service, service, reader)
    }

    /// Puts what was found in order of time; of the same time, in the order it was read. The
    /// search is empty again after that.
    pub fn finish(&mut self) -> Timeline {
        let records = std::mem::take(&mut self.records);
        Timeline::new(self.id.as_str().to_owned(), records)
    }

    fn read(&mut self, service: &str, file: &str, reader: impl Read) -> io::Result<&mut Self> {
        let mut collector = Collector::new(&self.id, service, file);
        let read = input::decompressed(reader).and_then(|reader| {
            crate::lines::read(reader, |lines, from| collector.add(lines, from))
        });
        self.records.append(&mut collector.finish());
        read.map(|()| self)
    }
}
