//! Files that grow.

mod source;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::SystemTime;

use jiff::tz::TimeZone;
use same_file::Handle;

use crate::id::Id;
use crate::record::Record;
use crate::service;
use crate::time::Clock;
use crate::timeline::{Story, Timeline};
use crate::trail::{is_document, named};

use self::source::{News, PAUSE, Source, growing, piped};

/// A timeline of one ID that continues: first the records in the files, then the new ones.
///
/// The iterator waits for new records. Its first timeline has all records that the files hold so
/// far, sorted by time. Each later timeline has the records that came since, and continues the
/// first one: its times count from the same start. Records from a reader are always new. An error
/// concerns one file, and the others are still read.
///
/// A record is complete when the next one starts, or when nothing is added to its file for a
/// moment. A line without its end is not shown yet. The iterator ends when all readers have ended.
/// Files never end.
///
/// [`Trail::follow`](crate::Trail::follow) makes it.
///
/// ```no_run
/// use correlation_trail::Trail;
///
/// let mut follow = Trail::new("click-1").follow();
/// follow.file("/var/log/shop/orders.log")?;
/// for timeline in follow {
///     print!("{}", timeline?);
/// }
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
#[must_use = "it tells nothing until it is iterated over"]
pub struct Follow {
    id: Arc<Id>,
    zone: TimeZone,
    /// The sources hold the other senders. It is `None` from the first timeline on.
    sender: Option<Sender<News>>,
    news: Receiver<News>,
    /// The number of files whose end has not been reached.
    behind: usize,
    records: Vec<Record>,
    story: Option<Story>,
    /// The sources end when this is dropped.
    alive: Arc<()>,
}

impl Follow {
    pub(crate) fn new(id: Id, zone: TimeZone) -> Self {
        let (sender, news) = channel();
        Self {
            id: Arc::new(id),
            zone,
            sender: Some(sender),
            news,
            behind: 0,
            records: Vec::new(),
            story: None,
            alive: Arc::new(()),
        }
    }

    /// Follows a log file, which it reads as [`Trail::file`](crate::Trail::file) does.
    ///
    /// After a rotation, which replaces the file or cuts it, it reads the file from the start.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened. The error names the file.
    pub fn file(&mut self, path: impl AsRef<Path>) -> io::Result<&mut Self> {
        let path = path.as_ref().to_owned();
        let failed = |error| named("open", &path, &error);
        let file = File::open(&path).map_err(failed)?;
        let service = service::of_file(&path);
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            // This is a pipe, which can be opened only once.
            return Ok(self.pipe(&service, file, move |error| named("read", &path, &error)));
        }
        let mut file = Handle::from_file(file).map_err(failed)?;
        let name = path.display().to_string();
        let written = metadata.modified().ok();
        self.spawn(service, name, Some(written), move |source| {
            loop {
                // A look from elsewhere does not wait for more.
                let is_document = File::open(&path).is_ok_and(is_document);
                if let Err(error) = source.read(is_document, growing(&path, &file)) {
                    source.tell(News::Failed(named("read", &path, &error)));
                }
                // A rotation removes the old file, and makes the new one later.
                file = loop {
                    if !source.is_heard() {
                        return;
                    }
                    thread::sleep(PAUSE);
                    if let Ok(file) = Handle::from_path(&path) {
                        break file;
                    }
                };
            }
        });
        Ok(self)
    }

    /// Follows logs from any other source until it ends. The arguments are those of
    /// [`Trail::reader`](crate::Trail::reader).
    pub fn reader(&mut self, service: &str, reader: impl Read + Send + 'static) -> &mut Self {
        self.pipe(service, reader, |error| error)
    }

    fn pipe(
        &mut self,
        service: &str,
        reader: impl Read + Send + 'static,
        failed: impl FnOnce(io::Error) -> io::Error + Send + 'static,
    ) -> &mut Self {
        let name = service.to_owned();
        self.spawn(name.clone(), name, None, move |source| {
            if let Err(error) = source.read(false, piped(reader)) {
                source.tell(News::Failed(failed(error)));
            }
        });
        self
    }

    /// `old` is the time when the content that exists was written.
    fn spawn(
        &mut self,
        service: String,
        file: String,
        old: Option<Option<SystemTime>>,
        run: impl FnOnce(&Source) + Send + 'static,
    ) {
        // No source can be added after the first timeline.
        let Some(sender) = self.sender.clone() else {
            return;
        };
        let source = Source {
            id: Arc::clone(&self.id),
            clock: Clock::new(self.zone.clone(), old.flatten()),
            service,
            file,
            sender,
            alive: Arc::downgrade(&self.alive),
            behind: Cell::new(old.is_some()),
        };
        self.behind += usize::from(old.is_some());
        thread::spawn(move || run(&source));
    }

    fn timeline(&mut self) -> Timeline {
        let records = std::mem::take(&mut self.records);
        let timeline = Timeline::new(self.id.as_str().to_owned(), records);
        let timeline = timeline.after(self.story.clone());
        self.story.get_or_insert_default().add(&timeline);
        timeline
    }
}

impl Iterator for Follow {
    type Item = io::Result<Timeline>;

    fn next(&mut self) -> Option<Self::Item> {
        self.sender = None;
        loop {
            let ready = self.behind == 0;
            if ready && self.records.is_empty() {
                // Everything that arrives from now on is new.
                self.story.get_or_insert_default();
            }
            let news = if ready && !self.records.is_empty() {
                // Records that arrived at the same time go into one timeline.
                self.news.try_recv().ok()
            } else {
                self.news.recv().ok()
            };
            match news {
                Some(News::Records(mut records)) => self.records.append(&mut records),
                Some(News::CaughtUp) => self.behind -= 1,
                Some(News::Failed(error)) => return Some(Err(error)),
                None if self.records.is_empty() => return None,
                None => return Some(Ok(self.timeline())),
            }
        }
    }
}
