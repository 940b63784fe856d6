//! One source that is followed, in a separate thread.

use std::cell::{Cell, RefCell};
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use same_file::Handle;

use crate::collect::Collector;
use crate::id::Id;
use crate::input;
use crate::record::Record;
use crate::time::Clock;
use crate::trail::collect;

/// A message from a source to [`Follow`](super::Follow).
#[derive(Debug)]
pub(super) enum News {
    Records(Vec<Record>),
    /// Everything that existed at the start has been read.
    CaughtUp,
    Failed(io::Error),
}

/// A source that is followed.
pub(super) struct Source {
    pub(super) id: Arc<Id>,
    pub(super) clock: Clock,
    pub(super) service: String,
    pub(super) file: String,
    pub(super) sender: Sender<News>,
    /// It can be upgraded while a `Follow` listens.
    pub(super) alive: Weak<()>,
    /// Whether there is more to read of the content that existed at the start.
    pub(super) behind: Cell<bool>,
}

impl Source {
    /// Reads the bytes that `poll` returns, up to their end. `poll` returns `None` if nothing came
    /// for a moment.
    pub(super) fn read(
        &self,
        is_document: bool,
        poll: impl FnMut(&mut [u8]) -> io::Result<Option<usize>>,
    ) -> io::Result<()> {
        let collector = RefCell::new(Collector::new(
            &self.id,
            &self.service,
            &self.file,
            &self.clock,
        ));
        let take = |all| {
            let records = collector.borrow_mut().take(all);
            if !records.is_empty() {
                self.tell(News::Records(records));
            }
            if all && self.behind.take() {
                self.tell(News::CaughtUp);
            }
            if !self.behind.get() {
                self.clock.go_on();
            }
        };
        let waiting = Waiting(poll, || {
            take(true);
            self.is_heard()
        });
        let read = input::text(waiting)
            .and_then(|reader| collect(reader, is_document, &collector, || take(false)));
        take(true);
        read
    }

    pub(super) fn tell(&self, news: News) {
        // It fails if nobody listens, and then the source is about to end.
        let _ = self.sender.send(news);
    }

    pub(super) fn is_heard(&self) -> bool {
        self.alive.strong_count() > 0
    }
}

/// Waits at the end where other readers end. `quiet` is called when nothing comes, and may end it.
struct Waiting<P, Q>(P, Q);

impl<P, Q> Read for Waiting<P, Q>
where
    P: FnMut(&mut [u8]) -> io::Result<Option<usize>>,
    Q: FnMut() -> bool,
{
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0(buffer)? {
                Some(count) => return Ok(count),
                None if self.1() => {}
                None => return Ok(0),
            }
        }
    }
}

/// Reads a file until its rotation.
pub(super) fn growing(
    path: &Path,
    file: &Handle,
) -> impl FnMut(&mut [u8]) -> io::Result<Option<usize>> {
    let mut position = 0;
    move |buffer| {
        for pause in [PAUSE, Duration::ZERO] {
            // This check comes first, because the last lines may come between the two.
            let rotated = Handle::from_path(path).is_ok_and(|now| {
                let length = now.as_file().metadata().map(|data| data.len());
                now != *file || length.is_ok_and(|length| length < position)
            });
            let count = file.as_file().read(buffer)?;
            position += count as u64;
            if count > 0 || rotated {
                return Ok(Some(count));
            }
            thread::sleep(pause);
        }
        Ok(None)
    }
}

/// Reads a blocking source in a separate thread.
pub(super) fn piped(
    mut reader: impl Read + Send + 'static,
) -> impl FnMut(&mut [u8]) -> io::Result<Option<usize>> {
    let (sender, pieces) = sync_channel(4);
    thread::spawn(move || {
        let mut pieces = Pieces(sender);
        if let Err(error) = io::copy(&mut reader, &mut pieces) {
            let _ = pieces.0.send(Err(error));
        }
    });
    let mut piece = Cursor::new(Vec::new());
    move |buffer| {
        if piece.position() == piece.get_ref().len() as u64 {
            piece = match pieces.recv_timeout(PAUSE) {
                Ok(read) => Cursor::new(read?),
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Ok(Some(0)),
            };
        }
        piece.read(buffer).map(Some)
    }
}

/// Passes on the bytes that are written to it.
struct Pieces(SyncSender<io::Result<Vec<u8>>>);

impl Write for Pieces {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let sent = self.0.send(Ok(piece.to_vec()));
        sent.map_err(|_| ErrorKind::BrokenPipe)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file is quiet if nothing comes for this long.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
