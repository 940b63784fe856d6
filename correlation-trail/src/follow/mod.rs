//! Files that grow.

mod source;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use jiff::tz::TimeZone;
use same_file::Handle;

use crate::id::Id;
use crate::record::Record;
use crate::service;
use crate::time::Clock;
use crate::timeline::{Story, Timeline};
use crate::trail::named;

use self::source::{News, PAUSE, Source, growing, piped};

/// The story of one ID that goes on: what the files hold, then what is new in them.
///
/// The iterator waits. Its first timeline is what the files hold so far, sorted by time. Each one
/// after it has the records that came since, and continues the first: its times count from the same
/// start. What a reader brings is always new. An error is that of one file, and the others are read
/// on.
///
/// A record is told when the next one starts, or when a file is quiet for a moment. Of a line
/// without its end nothing is told. The iterator ends when all readers have; files never end.
///
/// [`Trail::follow`](crate::Trail::follow) makes it.
#[derive(Debug)]
#[must_use = "it tells nothing until it is iterated over"]
pub struct Follow {
    id: Arc<Id>,
    zone: TimeZone,
    /// The sources hold the others. `None` from the first timeline on.
    sender: Option<Sender<News>>,
    news: Receiver<News>,
    /// The number of files of which the end has not been reached.
    behind: usize,
    records: Vec<Record>,
    story: Option<Story>,
    /// The sources end when it is gone.
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

    /// Follows a log file as [`Trail::file`](crate::Trail::file) reads it. After a rotation, which
    /// puts another file in its place or cuts it, it is read from the start.
    ///
    /// # Errors
    ///
    /// The file cannot be opened. The error names the file.
    pub fn file(&mut self, path: impl AsRef<Path>) -> io::Result<&mut Self> {
        let path = path.as_ref().to_owned();
        let failed = |error| named("open", &path, &error);
        let file = File::open(&path).map_err(failed)?;
        let service = service::of_file(&path);
        if !file.metadata().map_err(failed)?.is_file() {
            // A pipe, which can be opened once.
            return Ok(self.pipe(&service, file, move |error| named("read", &path, &error)));
        }
        let mut file = Handle::from_file(file).map_err(failed)?;
        let name = path.display().to_string();
        self.spawn(service, name, true, move |source| {
            loop {
                if let Err(error) = source.read(growing(&path, &file)) {
                    source.tell(News::Failed(named("read", &path, &error)));
                }
                // A rotation takes the old file away, and makes the new one later.
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

    /// Follows logs from any other place until it ends. The arguments are those of
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
        self.spawn(name.clone(), name, false, move |source| {
            if let Err(error) = source.read(piped(reader)) {
                source.tell(News::Failed(failed(error)));
            }
        });
        self
    }

    fn spawn(
        &mut self,
        service: String,
        file: String,
        behind: bool,
        run: impl FnOnce(&Source) + Send + 'static,
    ) {
        // After the first timeline there are no more sources.
        let Some(sender) = self.sender.clone() else {
            return;
        };
        let source = Source {
            id: Arc::clone(&self.id),
            // What comes is written now.
            clock: Clock::new(self.zone.clone(), None),
            service,
            file,
            sender,
            alive: Arc::downgrade(&self.alive),
            behind: Cell::new(behind),
        };
        self.behind += usize::from(behind);
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
                // What comes from now on is new.
                self.story.get_or_insert_default();
            }
            let news = if ready && !self.records.is_empty() {
                // What came at the same time is one timeline.
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
