use std::mem;

use correlation_testkit::Capture;
use tokio::runtime::Builder;
use tracing::Dispatch;
use tracing::dispatcher::{set_default, set_global_default, with_default};
use tracing_appender::non_blocking::WorkerGuard;

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

/// What `logger`, which writes to a [`Capture`], prints while `work` runs.
///
/// The logger is that of every thread of the runtime, as one installed for the whole process
/// would be, and of no thread of another test.
pub fn printed<F: Future>(
    logger: impl FnOnce(Capture) -> Logger,
    work: impl FnOnce() -> F,
) -> String {
    let sink = Capture::default();
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
