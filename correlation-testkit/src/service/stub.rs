//! Another service, which knows nothing of IDs and remembers the requests that it received.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::client::in_time;
use crate::{CORRELATION_ID, DEADLINE, RecordedCall, Recorder};

/// The server. It answers
///
/// - `/hold` when [`Stub::release`] is called,
/// - `/close` by closing the connection,
/// - `/status/CODE` with that status and [`BODY`],
/// - anything else with 200 and the ID that it was sent.
///
/// Its responses carry its own ID, which must not appear anywhere else.
#[derive(Debug)]
pub(super) struct Stub {
    recorder: Recorder,
    arrived: Arc<Notify>,
    release: Sender<()>,
}

/// The body of the answers of `/status/CODE`.
pub(super) const BODY: &str = "{\"error\": \"no such order: n\u{b0} 7\"}\n";

impl Stub {
    pub(super) fn start() -> Self {
        let arrived = Arc::new(Notify::new());
        let (release, released) = channel();
        let (arrives, released) = (arrived.clone(), Mutex::new(released));
        let recorder = Recorder::start(move |request| {
            let (status, body) = match request.path().strip_prefix("/status/") {
                Some(status) => (status, BODY.to_owned()),
                None => ("200", request.values(CORRELATION_ID).join(", ")),
            };
            match request.path() {
                "/close" => return String::new(),
                "/hold" => {
                    arrives.notify_one();
                    let released = released.lock().unwrap_or_else(PoisonError::into_inner);
                    // An error means that the test has ended.
                    let _ = released.recv_timeout(DEADLINE);
                }
                _ => {}
            }
            format!("{status} Whatever\r\n{CORRELATION_ID}: theirs\r\n\r\n{body}")
        });
        Self {
            recorder,
            arrived,
            release,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.recorder.port())
    }

    /// Takes the calls that were received since the last time.
    pub(super) fn take(&self) -> Vec<RecordedCall> {
        self.recorder.take()
    }

    /// Waits for a request to `/hold`.
    pub(super) async fn arrived(&self) -> io::Result<()> {
        in_time(async {
            self.arrived.notified().await;
            Ok(())
        })
        .await
    }

    /// Answers the request to `/hold`.
    pub(super) fn release(&self) {
        let _ = self.release.send(());
    }
}
