//! Handlers and bodies that never end by themselves. They show what a destructor reads when the
//! client disconnects.
//!
//! The test makes a [`Probe`] and requests [`Probe::path`]. The contract app runs in the same
//! process, and calls [`hang`] or [`hang_stream`] with the name from the query. They communicate
//! through channels, so no code here waits for a guessed time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::app::ambient;
use crate::client::DEADLINE;

/// Answers `/hang` with the ambient ID, and never ends unless the probe releases it.
pub async fn hang(name: &str) -> String {
    let mut witness = Witness::of(name);
    witness.hang().await;
    ambient().unwrap_or_default()
}

/// Returns the body of `/hang-stream`: one line with the ambient ID, and then the same as [`hang`].
pub fn hang_stream(name: &str) -> impl Stream<Item = String> + Send + use<> {
    stream::unfold(
        (Witness::of(name), true),
        |(mut witness, first)| async move {
            if first {
                let line = format!("{}\n", ambient().unwrap_or_default());
                return Some((line, (witness, false)));
            }
            witness.hang().await;
            None
        },
    )
}

/// The test's side of the connection. It learns when the request hangs and what its destructor
/// read.
#[derive(Debug)]
pub struct Probe {
    name: String,
    link: Link,
    hanging: UnboundedReceiver<()>,
    ended: UnboundedReceiver<End>,
}

/// How a hanging handler or body ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct End {
    /// The ambient ID, read in a destructor.
    pub id: Option<String>,
    /// Whether it was dropped before its end.
    pub cancelled: bool,
}

impl Probe {
    /// Makes a probe with a unique name.
    #[expect(
        clippy::new_without_default,
        reason = "each is registered under a new name"
    )]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);

        let name = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        let (on_hanging, hanging) = unbounded_channel();
        let (on_end, ended) = unbounded_channel();
        let link = Link {
            on_hanging,
            on_end,
            release: Arc::default(),
        };
        links().insert(name.clone(), link.clone());
        Self {
            name,
            link,
            hanging,
            ended,
        }
    }

    /// Returns the path to request: `/hang?name=7`.
    pub fn path(&self, endpoint: &str) -> String {
        format!("{endpoint}?name={}", self.name)
    }

    /// Waits until the handler or body hangs. Returns `false` if that never happens.
    pub async fn hangs(&mut self) -> bool {
        matches!(timeout(DEADLINE, self.hanging.recv()).await, Ok(Some(())))
    }

    /// Lets the handler or body end by itself.
    pub fn release(&self) {
        self.link.release.notify_one();
    }

    /// Waits for the end, but no longer than `patience`. Returns `None` if there is none by then.
    pub async fn ended(&mut self, patience: Duration) -> Option<End> {
        timeout(patience, self.ended.recv()).await.ok().flatten()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        links().remove(&self.name);
    }
}

/// The value that the handler or body holds while it hangs. Its destructor reports.
struct Witness {
    link: Link,
    cancelled: bool,
}

impl Witness {
    fn of(name: &str) -> Self {
        let link = links().get(name).cloned();
        Self {
            link: link.expect("the request names a probe that exists"),
            cancelled: true,
        }
    }

    async fn hang(&mut self) {
        // The probe may be gone, if its test has failed.
        let _ = self.link.on_hanging.send(());
        self.link.release.notified().await;
        self.cancelled = false;
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.link.on_end.send(End {
            id: ambient(),
            cancelled: self.cancelled,
        });
    }
}

#[derive(Clone, Debug)]
struct Link {
    on_hanging: UnboundedSender<()>,
    on_end: UnboundedSender<End>,
    release: Arc<Notify>,
}

fn links() -> MutexGuard<'static, BTreeMap<String, Link>> {
    static LINKS: Mutex<BTreeMap<String, Link>> = Mutex::new(BTreeMap::new());

    LINKS.lock().unwrap_or_else(PoisonError::into_inner)
}
