//! Captures the log lines of a test.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Level, Subscriber, dispatcher};
use tracing_log::NormalizeEvent;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use crate::context;
use crate::id::CorrelationId;

/// Captures log lines of `tracing` and of the `log` crate, until it is dropped.
///
/// Lines of the `log` crate are captured only if the test has no logger of its own, such as
/// `env_logger`.
///
/// ```
/// use correlation_core::{CorrelationId, sync_scope, testing::LogCapture};
///
/// let log = LogCapture::start();
/// let id: CorrelationId = "test-1".parse()?;
/// sync_scope(id, || tracing::info!("order placed")); // a request to your service
///
/// log.assert_all("test-1");
/// assert_eq!(log.lines()[0].message, "order placed");
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
///
/// The ID of a line is the [`current`](crate::current) ID where the line is written. A
/// [`tag`](crate::tag) writes the same ID. Nothing is printed. An assertion that fails shows all
/// lines.
///
/// Tests run in parallel on several threads, so [`start`](Self::start) captures only one thread.
/// This is enough for a plain `#[test]`, `#[tokio::test]`, `#[actix_web::test]`, Rocket's local
/// clients and `warp::test`, which all run on the thread of the test. Use
/// [`on_all_threads`](Self::on_all_threads) for runtimes with several threads, for `spawn_blocking`
/// and the like.
#[derive(Debug)]
pub struct LogCapture {
    kept: Arc<Kept>,
    scope: Scope,
}

#[derive(Debug)]
enum Scope {
    Thread(#[expect(dead_code, reason = "its drop ends the capture")] DefaultGuard),
    Process { _one: MutexGuard<'static, ()> },
}

impl Scope {
    const fn hint(&self) -> &'static str {
        match self {
            Self::Thread(_) => "; `start()` sees no other thread, `on_all_threads(..)` does",
            Self::Process { .. } => "",
        }
    }
}

impl Drop for LogCapture {
    fn drop(&mut self) {
        self.kept.set(None);
        if let Scope::Process { .. } = self.scope {
            *owner() = None;
        }
    }
}

/// The thread that captures the lines of all threads.
fn owner() -> MutexGuard<'static, Option<ThreadId>> {
    static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);
    OWNER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LogCapture {
    /// Captures the lines of this thread, at level `INFO` and above.
    #[must_use]
    pub fn start() -> Self {
        Self::start_at(Level::INFO)
    }

    /// Captures the lines of this thread, at `level` and above.
    ///
    /// At `DEBUG` and `TRACE`, HTTP libraries write lines that belong to no request. Use
    /// [`assert_target`](Self::assert_target) then, to check only one target.
    #[must_use]
    pub fn start_at(level: Level) -> Self {
        take_records_of_log();
        let kept = Arc::<Kept>::default();
        kept.set(Some(level));
        let layer = Capturing(Arc::clone(&kept));
        let guard = tracing::subscriber::set_default(Registry::default().with(layer));
        Self {
            kept,
            scope: Scope::Thread(guard),
        }
    }

    /// Captures the lines of all threads, at `level` and above.
    ///
    /// Tests of one process that call this function run one after another. Lines of a test that
    /// runs at the same time and captures nothing itself are captured, too. So put the test into a
    /// separate integration test file.
    ///
    /// # Panics
    ///
    /// If another global subscriber is installed, or if this thread already captures all lines.
    #[must_use]
    pub fn on_all_threads(level: Level) -> Self {
        static ONE: Mutex<()> = Mutex::new(());
        static KEPT: OnceLock<Arc<Kept>> = OnceLock::new();

        take_records_of_log();
        let this = thread::current().id();
        assert!(
            *owner() != Some(this),
            "this thread already captures the lines of all threads"
        );
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = KEPT.get_or_init(|| {
            let kept = Arc::<Kept>::default();
            let layer = Capturing(Arc::clone(&kept));
            tracing::subscriber::set_global_default(Registry::default().with(layer))
                .expect("another global subscriber is already installed");
            kept
        });
        *owner() = Some(this);
        kept.set(Some(level));
        Self {
            kept: Arc::clone(kept),
            scope: Scope::Process { _one: one },
        }
    }

    /// Returns the lines so far, the oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.kept.lines().clone()
    }

    /// Waits for a line that another thread writes, and returns it.
    ///
    /// It blocks this thread, so a task on the same thread cannot write the line meanwhile. Use it
    /// with [`on_all_threads`](Self::on_all_threads), and with tasks on a runtime of several
    /// threads. In a test on one thread, await the task instead, or let it run by
    /// `tokio::task::yield_now().await` until [`lines`](Self::lines) has the line.
    ///
    /// `wanted` looks at all lines again whenever there is a new one. It may log and ask the
    /// capture. What it logs itself is not captured.
    ///
    /// # Panics
    ///
    /// If there is no such line within 60 seconds.
    #[track_caller]
    pub fn wait_for(&self, wanted: impl Fn(&LogLine) -> bool) -> LogLine {
        let end = Instant::now() + DEADLINE;
        loop {
            // Nothing is locked while foreign code looks at the lines.
            let lines = self.lines();
            let find = || lines.iter().find(|line| wanted(line));
            if let Some(line) = dispatcher::with_default(&Dispatch::none(), find) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "no such line within {DEADLINE:?}, while this call blocked its thread{}:\n{}",
                self.scope.hint(),
                all(&lines)
            );
            let looked_at_all = |now: &mut Vec<LogLine>| now.len() == lines.len();
            let more = &self.kept.more;
            drop(more.wait_timeout_while(self.kept.lines(), left, looked_at_all));
        }
    }

    /// Asserts that there are lines, and that each line has this ID.
    ///
    /// # Panics
    ///
    /// If there is no line, or a line does not have this ID.
    #[track_caller]
    pub fn assert_all(&self, id: &str) {
        self.assert_lines("", id);
    }

    /// Asserts that there are lines of this target and the targets below it, and that each line has
    /// this ID. `shop` includes `shop::orders`.
    ///
    /// # Panics
    ///
    /// If there is no such line, or one does not have this ID.
    #[track_caller]
    pub fn assert_target(&self, target: &str, id: &str) {
        self.assert_lines(target, id);
    }

    #[track_caller]
    fn assert_lines(&self, target: &str, id: &str) {
        let lines = self.lines();
        let (mut all_right, mut found) = (true, false);
        for line in lines.iter().filter(|line| line.is_of(target)) {
            found = true;
            all_right &= line.id.as_ref().is_some_and(|of_line| of_line == id);
        }
        let of = if target.is_empty() {
            String::new()
        } else {
            format!(" of {target}")
        };
        assert!(found, "no line{of} was logged:\n{}", all(&lines));
        assert!(all_right, "a line{of} lacks the ID {id}:\n{}", all(&lines));
    }
}

/// A line that was logged.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogLine {
    /// The ID of the line.
    pub id: Option<CorrelationId>,
    /// The level.
    pub level: Level,
    /// The target, which is the module unless the line sets another one.
    pub target: String,
    /// The message.
    pub message: String,
    /// The fields in their order, with their values as text. A line of the `log` crate has none.
    pub fields: Vec<(String, String)>,
}

impl LogLine {
    /// Returns the value of a field, as text. If a line has the field twice, the first one counts.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    fn is_of(&self, target: &str) -> bool {
        let rest = self.target.strip_prefix(target);
        target.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5} {}: {}", self.level, self.target, self.message)?;
        for (key, value) in &self.fields {
            write!(f, " {key}={value}")?;
        }
        match &self.id {
            Some(id) => write!(f, " correlation_id={id}"),
            None => f.write_str(" (no ID)"),
        }
    }
}

fn all(lines: &[LogLine]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[derive(Debug, Default)]
struct Kept {
    level: Mutex<Option<Level>>,
    lines: Mutex<Vec<LogLine>>,
    more: Condvar,
}

impl Kept {
    /// Forgets all lines, and keeps those of this level and above from now on.
    fn set(&self, level: Option<Level>) {
        *self.level() = level;
        *self.lines() = Vec::new();
    }

    fn level(&self) -> MutexGuard<'_, Option<Level>> {
        self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> MutexGuard<'_, Vec<LogLine>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Capturing(Arc<Kept>);

impl<S: Subscriber> Layer<S> for Capturing {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        if self.0.level().is_none_or(|level| *metadata.level() > level) {
            return;
        }
        let mut line = LogLine {
            id: context::read(|context| context.map(|context| context.id().clone())),
            level: *metadata.level(),
            target: metadata.target().to_owned(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut Fields {
            line: &mut line,
            of_log: normalized.is_some(),
        });
        self.0.lines().push(line);
        self.0.more.notify_all();
    }
}

struct Fields<'a> {
    line: &'a mut LogLine,
    /// Whether this is a record of the `log` crate.
    of_log: bool,
}

impl Fields<'_> {
    fn add(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.line.message = value,
            // The fields that `tracing-log` adds are already in the metadata.
            name if self.of_log && name.starts_with("log.") => {}
            name => self.line.fields.push((name.to_owned(), value)),
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field, value.to_string());
    }
}

/// Hands the records of the `log` crate to `tracing`, unless the test has a logger.
fn take_records_of_log() {
    let _ = tracing_log::LogTracer::init();
}

const DEADLINE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;

    use super::*;
    use crate::sync_scope;

    fn in_scope(f: impl FnOnce()) {
        sync_scope("test-1".parse::<CorrelationId>().unwrap(), f);
    }

    fn fails(f: impl FnOnce()) -> String {
        let panic = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
        *panic.downcast::<String>().unwrap()
    }

    #[test]
    fn lines_have_the_id_of_the_scope_they_are_written_in() {
        let log = LogCapture::start();
        in_scope(|| tracing::warn!(target: "shop::orders", order = 7, by = "me", "stored"));
        let error: &(dyn Error + 'static) = &std::io::Error::other("full");
        tracing::info!(error, "outside");
        tracing::debug!("too fine");
        let lines: Vec<_> = log.lines().iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                " WARN shop::orders: stored order=7 by=me correlation_id=test-1",
                " INFO correlation_core::testing::logs::tests: outside error=full (no ID)",
            ]
        );
    }

    #[test]
    fn a_field_that_begins_with_log_is_one_of_the_user() {
        let log = LogCapture::start();
        tracing::info!(log.offset = 5, log.file = "a", other = 1, "stored");
        let line = log.lines().remove(0);
        assert_eq!(
            (line.field("log.file"), line.field("file")),
            (Some("a"), None)
        );
        let line = line.to_string();
        assert!(
            line.ends_with("stored log.offset=5 log.file=a other=1 (no ID)"),
            "{line}"
        );
    }

    #[test]
    fn an_assertion_fails_on_a_line_without_the_id_and_shows_all() {
        let log = LogCapture::start();
        let nothing = fails(|| log.assert_all("test-1"));
        assert!(nothing.starts_with("no line was logged"), "{nothing}");
        in_scope(|| tracing::info!(target: "shop::orders", "stored"));
        log.assert_all("test-1");
        tracing::info!(target: "shopping", "of another");
        for target in ["shop", "shop::orders"] {
            log.assert_target(target, "test-1");
        }
        let none = fails(|| log.assert_target("shop::order", "test-1"));
        assert!(
            none.starts_with("no line of shop::order was logged"),
            "{none}"
        );
        let other = fails(|| log.assert_target("shop", "test-2"));
        assert!(
            other.starts_with("a line of shop lacks the ID test-2"),
            "{other}"
        );
        let lacks = fails(|| log.assert_all("test-1"));
        assert!(
            lacks.ends_with(" INFO shopping: of another (no ID)\n"),
            "{lacks}"
        );
    }

    #[cfg(feature = "log")]
    #[test]
    fn records_of_the_log_crate_are_lines_too() {
        let log = LogCapture::start();
        in_scope(|| log::info!(target: "shop::stock", "reserved {}", 1));
        let line = log.wait_for(|line| line.message == "reserved 1");
        assert_eq!(
            (line.target.as_str(), line.fields.len()),
            ("shop::stock", 0)
        );
        log.assert_all("test-1");
    }

    #[test]
    fn a_closure_of_wait_for_may_log_and_ask_the_capture() {
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            let log = LogCapture::start();
            tracing::info!("first");
            tracing::info!("second");
            let line = log.wait_for(|line| {
                tracing::info!("looking at {}", line.message);
                log.lines().len() == 2 && line.message == "second"
            });
            send.send((line.message, log.lines().len())).unwrap();
        });
        let answer = receive.recv_timeout(DEADLINE / 4);
        assert_eq!(answer, Ok(("second".to_owned(), 2)));
    }

    #[test]
    fn lines_of_all_threads_are_one_capture_at_a_time() {
        for word in ["first", "second"] {
            let log = LogCapture::on_all_threads(Level::INFO);
            let other = thread::spawn(move || in_scope(|| tracing::info!("{word}")));
            let line = log.wait_for(|line| line.message == word);
            assert_eq!(line.id.unwrap(), "test-1");
            other.join().unwrap();
            let twice = catch_unwind(|| LogCapture::on_all_threads(Level::INFO));
            assert!(twice.is_err());
            let kept = Arc::clone(&log.kept);
            drop(log);
            thread::spawn(|| tracing::info!("after")).join().unwrap();
            assert_eq!(kept.lines().len(), 0, "nothing is kept after the capture");
        }
    }

    #[test]
    fn a_capture_ends_with_its_drop_and_sees_its_own_thread() {
        let log = LogCapture::start_at(Level::TRACE);
        thread::spawn(|| tracing::info!("elsewhere"))
            .join()
            .unwrap();
        tracing::trace!("here");
        let first = log.lines();
        assert_eq!((first.len(), first[0].message.as_str()), (1, "here"));
        drop(log);
        tracing::info!("after");
        assert_eq!(LogCapture::start().lines().len(), 0);
    }
}
