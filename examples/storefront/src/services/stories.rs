//! Stories for the page. It follows the log files of all services for one ID.

use std::convert::Infallible;
use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, mpsc};
use std::thread;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use correlation_core::CorrelationId;
use correlation_trail::Trail;
use futures_util::stream::{Stream, unfold};
use tokio::sync::{Semaphore, watch};

use crate::logs::Folder;

/// The source of the stories.
#[derive(Clone, Debug)]
pub(super) struct Stories {
    logs: Arc<Folder>,
    free: Arc<Semaphore>,
    /// It changes when the gateway has to end, because the gateway waits for its answers.
    closing: watch::Receiver<()>,
}

impl Stories {
    pub(super) fn new(logs: Folder, closing: watch::Receiver<()>) -> Self {
        Self {
            logs: Arc::new(logs),
            free: Arc::new(Semaphore::new(AT_A_TIME)),
            closing,
        }
    }
}

/// Sends the story of an ID until the browser disconnects: one event for each record, which is a
/// line of `trail --json`.
pub(super) async fn story(
    State(stories): State<Stories>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, (StatusCode, String)> {
    let id: CorrelationId = id
        .parse()
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}")))?;
    let free = stories.free.try_acquire_owned().map_err(|_| {
        let busy = format!("{AT_A_TIME} stories are told already");
        (StatusCode::SERVICE_UNAVAILABLE, busy)
    })?;
    let mut follow = Trail::new(id.as_str()).follow();
    for file in stories.logs.files() {
        follow
            .file(file)
            .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    }
    let (stays, left) = mpsc::channel();
    follow.reader("browser", Left(left));

    let (sender, records) = tokio::sync::mpsc::channel(1);
    // `Follow` blocks while it waits for lines, so it runs in a thread.
    thread::spawn(move || {
        let _free = free;
        for told in follow {
            let told = told.map(|told| told.json().to_string());
            let mut lines = told.iter().flat_map(|told| told.lines());
            let heard = lines.all(|line| sender.blocking_send(line.to_owned()).is_ok());
            if !heard || sender.is_closed() {
                break;
            }
        }
    });
    let state = (records, stories.closing, stays);
    let events = unfold(state, |(mut records, mut closing, stays)| async {
        let record = tokio::select! {
            record = records.recv() => record?,
            _ = closing.changed() => return None,
        };
        let event = Event::default().data(record);
        Some((Ok(event), (records, closing, stays)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// A log that fails after the browser has disconnected. It wakes the thread that waits for lines.
struct Left(mpsc::Receiver<()>);

impl Read for Left {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Err(ErrorKind::BrokenPipe.into())
    }
}

/// Each story needs eight threads.
const AT_A_TIME: usize = 8;
