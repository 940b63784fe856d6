use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Builder;
use tracing::Dispatch;
use tracing::dispatcher::{set_default, set_global_default, with_default};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::fmt::MakeWriter;

/// A logger that is ready to be installed.
#[derive(Debug)]
pub struct Logger {
    pub(crate) dispatch: Dispatch,
    /// What writes in a thread of its own is complete once this is dropped.
    pub(crate) _worker: Option<WorkerGuard>,
}

impl<D: Into<Dispatch>> From<D> for Logger {
    fn from(dispatch: D) -> Self {
        Self {
            dispatch: dispatch.into(),
            _worker: None,
        }
    }
}

impl Logger {
    /// Runs `f` with this logger, in this thread.
    pub fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        with_default(&self.dispatch, f)
    }

    /// Makes it the logger of the whole process, as `init` of the real ones does.
    ///
    /// # Panics
    ///
    /// If there is one already.
    pub fn install(&self) {
        set_global_default(self.dispatch.clone()).expect("it is the first one");
    }
}

/// What `logger`, which writes to a [`Sink`], prints while `work` runs.
///
/// The logger is that of every thread of the runtime, as one installed for the whole process
/// would be, and of no thread of another test.
pub fn printed<F: Future>(logger: impl FnOnce(Sink) -> Logger, work: impl FnOnce() -> F) -> String {
    let sink = Sink::default();
    let logger = logger(sink.clone());
    let dispatch = logger.dispatch.clone();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        // The guard ends with its thread.
        .on_thread_start(move || mem::forget(set_default(&dispatch)))
        .build()
        .expect("a runtime with one worker can be built");
    logger.with(|| runtime.block_on(work()));
    drop(runtime);
    drop(logger);
    sink.text()
}

/// Where a test finds what a logger printed; a file or standard output in real life.
#[derive(Clone, Debug, Default)]
pub struct Sink(Arc<Mutex<Vec<Vec<u8>>>>);

impl Sink {
    /// All that was written.
    ///
    /// # Panics
    ///
    /// If that is not UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.lock().concat()).expect("loggers print UTF-8")
    }

    /// How many calls of `write` it took.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
