//! The search for one ID.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use jiff::tz::TimeZone;

use crate::collect::Collector;
use crate::format::{self, Tee};
use crate::id::Id;
use crate::record::Record;
use crate::time::Clock;
use crate::{Follow, Timeline, input, lines, printable, service};

/// Collects the records of one ID from log files.
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
/// A `Trail` reads files in pieces. It needs memory for the records of the ID and for one line, not
/// for a whole file.
#[derive(Debug)]
pub struct Trail {
    id: Id,
    zone: TimeZone,
    records: Vec<Record>,
}

impl Trail {
    /// Makes a search for `id`. The ID counts if it is a whole word, not if it is part of a longer
    /// ID. No line matches an empty ID.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: Id::new(id),
            zone: TimeZone::UTC,
            records: Vec::new(),
        }
    }

    /// Sets the zone of times that have none, for the files that are read after this call.
    ///
    /// It is a name of the IANA database such as `Europe/Berlin`, or an offset such as `+02:00`.
    /// The default is UTC.
    ///
    /// # Errors
    ///
    /// If there is no such zone.
    pub fn zone(&mut self, name: &str) -> io::Result<&mut Self> {
        let parser = jiff::fmt::temporal::DateTimeParser::new();
        self.zone = parser.parse_time_zone(name).map_err(|_| {
            let message =
                "unknown time zone: write a name such as Europe/Berlin or an offset such as +02:00";
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        Ok(self)
    }

    /// Reads a log file, which may be compressed or UTF-16.
    ///
    /// If a record names no service, its service is the name of the file: `orders` for
    /// `orders.log.2.gz`.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened or read. The error names the file. The search keeps the records
    /// up to that point.
    pub fn file(&mut self, path: impl AsRef<Path>) -> io::Result<&mut Self> {
        self.file_with(path, |file| file)
    }

    /// Reads a log file through your own reader, which may count the bytes that it reads.
    ///
    /// # Errors
    ///
    /// The same as for [`Trail::file`].
    pub fn file_with<R: Read>(
        &mut self,
        path: impl AsRef<Path>,
        reader: impl FnOnce(File) -> R,
    ) -> io::Result<&mut Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| named("open", path, &error))?;
        let name = path.display().to_string();
        let written = file.metadata().and_then(|data| data.modified()).ok();
        self.read(&service::of_file(path), &name, written, reader(file))
            .map_err(|error| named("read", path, &error))
    }

    /// Reads logs from any other source, compressed or not.
    ///
    /// `service` is the name of the file, and the service of each record that names none.
    ///
    /// # Errors
    ///
    /// If the reader fails. The search keeps the records up to that point.
    pub fn reader(&mut self, service: &str, reader: impl Read) -> io::Result<&mut Self> {
        self.read(service, service, None, reader)
    }

    /// Makes a search for the same ID in logs that grow.
    pub fn follow(&self) -> Follow {
        Follow::new(self.id.clone(), self.zone.clone())
    }

    /// Sorts the records by time and returns them. Records of the same time stay in the order of
    /// reading. After this call, the search is empty again.
    pub fn finish(&mut self) -> Timeline {
        let records = std::mem::take(&mut self.records);
        Timeline::new(self.id.as_str().to_owned(), records)
    }

    fn read(
        &mut self,
        service: &str,
        file: &str,
        written: Option<SystemTime>,
        reader: impl Read,
    ) -> io::Result<&mut Self> {
        let clock = Clock::new(self.zone.clone(), written);
        let collector = RefCell::new(Collector::new(&self.id, service, file, &clock));
        let read = input::text(reader).and_then(|reader| {
            let (head, reader) = input::peek(reader, HEAD);
            collect(reader, format::is_document(&head), &collector, || {})
        });
        self.records.append(&mut collector.into_inner().take(true));
        read.map(|()| self)
    }
}

/// Reads lines, or first the entries of a document. `took` is called when there are new records.
pub(crate) fn collect<'r>(
    reader: impl Read + 'r,
    is_document: bool,
    collector: &RefCell<Collector<'_>>,
    mut took: impl FnMut(),
) -> io::Result<()> {
    let mut rest: Box<dyn Read + 'r> = Box::new(reader);
    if is_document {
        let mut tee = Tee::new(rest);
        let mut entry = |json: &str, line| {
            collector.borrow_mut().entry(json, line);
            took();
        };
        format::read_document(&mut tee, &mut entry);
        let (lines, more) = tee.rest();
        collector.borrow_mut().skip_to(lines);
        rest = Box::new(more);
    }
    lines::read(rest, |lines, from| {
        collector.borrow_mut().add(lines, from);
        took();
    })
}

/// An error that names a file.
pub(crate) fn named(doing: &str, path: &Path, error: &io::Error) -> io::Error {
    let message = format!("cannot {doing} {}: {error}", path.display());
    io::Error::new(error.kind(), printable(&message))
}

/// Returns whether a file is a document.
pub(crate) fn is_document(file: impl Read) -> bool {
    let head = input::text(file).map(|reader| input::peek(reader, HEAD).0);
    head.is_ok_and(|head| format::is_document(&head))
}

/// The number of bytes that show whether a file is a document.
const HEAD: u64 = 512;
