//! The job that the checks push, and what its handler tells of it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use correlation_apalis::correlation;
use correlation_testkit::process::DEADLINE;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) then: Then,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Then {
    Done,
    /// The first attempt fails.
    Fail,
    /// The first attempt never ends.
    Hang,
    /// Pushes another job of this name.
    Push(String),
}

impl Job {
    pub(crate) fn new(name: impl Into<String>, then: Then) -> Self {
        let name = name.into();
        Self { name, then }
    }

    pub(crate) fn done(name: impl Into<String>) -> Self {
        Self::new(name, Then::Done)
    }
}

/// One attempt at a job.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) name: String,
    /// The ambient ID before and after each of some awaits.
    pub(crate) reads: Vec<Option<String>>,
}

impl Seen {
    /// The ID, which must be the same at all reads.
    pub(crate) fn id(&self) -> &str {
        let first = self.reads[0].as_deref().expect("an ambient ID");
        assert!(
            self.reads.iter().all(|read| read.as_deref() == Some(first)),
            "{self:?}"
        );
        first
    }
}

/// What all handlers of one test share.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    seen: UnboundedSender<Seen>,
    begun: Arc<Mutex<HashSet<String>>>,
}

pub(crate) fn probe() -> (Probe, Attempts) {
    let (seen, receiver) = unbounded_channel();
    let begun = Arc::default();
    (Probe { seen, begun }, Attempts(receiver))
}

impl Probe {
    /// Reads the ID, tells it, and gives whether this is the first attempt.
    pub(crate) async fn attempt(&self, job: &Job) -> bool {
        let mut reads = Vec::new();
        for _ in 0..5 {
            reads.push(correlation::current().map(String::from));
            tokio::task::yield_now().await;
        }
        let name = job.name.clone();
        let first = self.begun.lock().unwrap().insert(name.clone());
        // The test may have ended.
        let _ = self.seen.send(Seen { name, reads });
        first
    }
}

pub(crate) struct Attempts(UnboundedReceiver<Seen>);

impl Attempts {
    /// The next attempt at any job.
    pub(crate) async fn next(&mut self) -> Seen {
        let next = tokio::time::timeout(DEADLINE, self.0.recv());
        next.await.expect("an attempt in time").expect("a handler")
    }

    /// The next attempt, which must be at this job, and its ID.
    pub(crate) async fn next_of(&mut self, name: &str) -> String {
        let seen = self.next().await;
        assert_eq!(seen.name, name);
        seen.id().to_owned()
    }
}

/// Runs this to its end, from a destructor too.
pub(crate) fn block_on<F: Future<Output = ()> + Send>(future: F) {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    std::thread::scope(|threads| {
        threads.spawn(|| runtime().block_on(future));
    });
}
