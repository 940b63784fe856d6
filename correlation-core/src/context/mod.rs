//! The ambient context. It is read wherever a log line is written or a call is sent.

#[cfg(feature = "tokio")]
mod by_task;
mod extractor;
#[cfg(feature = "tokio")]
mod inherit;
mod injector;
mod origin;
mod scoped;
mod slot;
mod snapshot;
#[cfg(feature = "tracing")]
mod span;
#[cfg(feature = "tokio")]
mod spawn;
#[cfg(feature = "tokio")]
mod task;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

pub use extractor::Extractor;
#[cfg(feature = "tokio")]
pub use inherit::{SpawnHooks, inherit_on_spawn};
pub use injector::Injector;
pub use origin::Origin;
pub use scoped::{InCurrent, Scoped};
pub use slot::Ambient;
pub(crate) use slot::{current_if_readable, read, scoped_context};
pub use snapshot::{Snapshot, bind, carry, snapshot};
#[cfg(feature = "tokio")]
pub use spawn::{spawn, spawn_blocking};
#[cfg(feature = "tokio")]
pub use task::TaskContext;

use crate::id::CorrelationId;
use crate::trace_context::{Trace, TraceId};

/// The context of one user action: its ID, where the ID came from, and the trace.
///
/// Most code needs only the ID, from [`current()`](crate::current). Adapters and custom servers get
/// a `Context` from [`Policy::receive`](crate::Policy::receive) and run the request in it with
/// [`scope`](crate::scope).
///
/// A `Context` is a pointer. Cloning is cheap, and all clones are the same context.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    id: CorrelationId,
    origin: Origin,
    // Boxed, since most requests have none.
    extra: Option<Box<Extra>>,
}

#[derive(Default)]
struct Extra {
    /// The ID of an untrusted caller, and the header that it came in.
    untrusted: Option<(CorrelationId, &'static str)>,
    /// The trace of an untrusted caller: `Some(None)` if its `traceparent` is not valid.
    untrusted_trace: Option<Option<TraceId>>,
    trace: Option<Trace>,
    #[cfg(feature = "tracing")]
    span: Option<span::RequestSpan>,
}

thread_local! {
    /// The memory of the last context that ended on this thread. The next request on the thread
    /// reuses it instead of allocating.
    static SPARE: Cell<Option<Arc<Inner>>> = const { Cell::new(None) };
}

impl Context {
    /// Makes a context with no clones yet, so that more can be [added](Self::add) to it.
    #[inline]
    pub(crate) fn received(id: CorrelationId, origin: Origin) -> Self {
        let extra = None;
        let inner = Inner { id, origin, extra };
        // The spare is gone while the thread ends.
        if let Some(mut spare) = SPARE.try_with(Cell::take).ok().flatten()
            && let Some(place) = Arc::get_mut(&mut spare)
        {
            *place = inner;
            return Self(spare);
        }
        Self(Arc::new(inner))
    }

    /// Keeps the memory for the next context, unless there is another clone.
    #[inline]
    fn recycle(mut self) {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            // The span of the request ends now, not when the memory is reused.
            inner.extra = None;
            let _ = SPARE.try_with(|spare| spare.set(Some(self.0)));
        }
    }

    /// Returns the current context, if there is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        slot::current()
    }

    /// Returns the current context, or a context with a new ID if there is none.
    ///
    /// Use it where an action may begin, such as a job that is put into a queue outside any
    /// request.
    ///
    /// ```
    /// use correlation_core::{Context, CorrelationId, sync_scope};
    ///
    /// let id = CorrelationId::new();
    /// assert_eq!(sync_scope(id.clone(), Context::current_or_new).id(), &id);
    /// assert_eq!(Context::current_or_new().origin().to_string(), "generated");
    /// ```
    #[must_use]
    pub fn current_or_new() -> Self {
        Self::current().unwrap_or_else(|| Self::received(CorrelationId::new(), Origin::Generated))
    }

    /// Returns the correlation ID.
    #[inline]
    #[must_use]
    pub fn id(&self) -> &CorrelationId {
        &self.0.id
    }

    /// Returns where the ID came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    /// Returns the valid ID of an untrusted caller. The context has a new ID in its place.
    ///
    /// The log has the untrusted ID once. Either an `INFO` event of the target `correlation` gives
    /// it as `untrusted_id` when the request begins, or the [access
    /// record](crate::Policy::access_record) does. If the ID has a `=` before its end, such as
    /// `|correlation_id=abc`, the log gives only its length, as `untrusted_len`. So a search for
    /// `correlation_id=abc` does not find text from a stranger.
    #[must_use]
    pub fn untrusted_id(&self) -> Option<&CorrelationId> {
        self.extra()?.untrusted.as_ref().map(|(id, _)| id)
    }

    /// Returns the trace-id of the W3C trace, if there is one.
    ///
    /// The trace came in with a valid `traceparent`, or it started here
    /// ([`TraceContext::Participate`](crate::TraceContext::Participate)). If the caller sent a
    /// trace and no other ID, the trace-id is also the correlation ID.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        Some(self.trace()?.parent.trace_id())
    }

    #[inline]
    fn extra(&self) -> Option<&Extra> {
        self.0.extra.as_deref()
    }

    /// Adds something to a context that was just made and has no clones.
    fn add(&mut self, add: impl FnOnce(&mut Extra)) {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            add(inner.extra.get_or_insert_default());
        }
    }

    pub(crate) fn set_trace(&mut self, trace: Trace) {
        self.add(|extra| extra.trace = Some(trace));
    }

    /// Keeps the ID of an untrusted caller and its header, so that no call forwards it.
    pub(crate) fn set_untrusted_id(&mut self, id: CorrelationId, header: &'static str) {
        self.add(|extra| extra.untrusted = Some((id, header)));
    }

    /// Keeps the trace-id of an untrusted caller, if it is valid, so that no call forwards it.
    pub(crate) fn set_untrusted_trace(&mut self, trace: Option<TraceId>) {
        self.add(|extra| extra.untrusted_trace = Some(trace));
    }

    /// Opens the span of a request. Every scope with this context enters it from now on.
    #[cfg(feature = "tracing")]
    #[cold]
    pub(crate) fn open_span(&mut self) {
        let mut bare = Self::received(self.id().clone(), self.origin());
        if let Some(trace) = self.trace() {
            bare.set_trace(trace.clone());
        }
        let span = span::RequestSpan::new(bare);
        self.add(|extra| extra.span = Some(span));
    }

    #[cfg(feature = "tracing")]
    #[inline]
    fn span(&self) -> Option<&span::RequestSpan> {
        self.extra()?.span.as_ref()
    }

    pub(crate) fn trace(&self) -> Option<&Trace> {
        self.extra()?.trace.as_ref()
    }
}

/// Makes a context with this ID and without a trace.
impl From<CorrelationId> for Context {
    fn from(id: CorrelationId) -> Self {
        Self::received(id, Origin::Explicit)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", self.id())
            .field("origin", &self.origin())
            .field("untrusted_id", &self.untrusted_id())
            .field("trace_id", &self.trace_id())
            .finish()
    }
}

/// Returns the current ID, if there is one. You can call it anywhere, in sync and async code,
/// without an argument.
///
/// It returns `None` outside any scope. It also returns `None` in tasks and threads that you start
/// without one of the helpers ([`InCurrent::in_current`], [`bind`], [`snapshot`], [`carry`],
/// `spawn`, `spawn_blocking`). But if such a task or job runs within a scope on the same thread, it
/// reads that scope. A current-thread runtime does so while it blocks in a scope, and so does a
/// worker of rayon while it waits in one.
///
/// ```
/// use correlation_core::{CorrelationId, current, sync_scope};
///
/// fn deep_inside() -> String {
///     current().map_or("none".into(), |id| id.to_string())
/// }
///
/// assert_eq!(deep_inside(), "none");
/// let id: CorrelationId = "req-7".parse()?;
/// assert_eq!(sync_scope(id, deep_inside), "req-7");
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
#[must_use]
pub fn current() -> Option<CorrelationId> {
    read(|context| context.map(|context| context.id().clone()))
}

/// Passes the current ID to a function, without copying its text. It does the same as [`current`],
/// for code that runs very often.
///
/// The function may log, spawn tasks and open scopes.
///
/// ```
/// use correlation_core::{CorrelationId, sync_scope, with_current};
///
/// let id: CorrelationId = "req-7".parse()?;
/// let len = sync_scope(id, || with_current(|id| id.map_or(0, str::len)));
/// assert_eq!(len, 5);
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
pub fn with_current<R>(f: impl FnOnce(Option<&str>) -> R) -> R {
    // A clone of the pointer, since `f` may end the scope that holds the context.
    let context = Context::current();
    f(context.as_ref().map(|context| context.id().as_str()))
}

/// Runs a future with this ID (or [`Context`]) as the current one. The context is current during
/// every poll, and while the future is dropped.
///
/// Tasks that the future spawns do not inherit the ID by themselves: use the helpers
/// ([`InCurrent::in_current`], `spawn`).
///
/// ```
/// use correlation_core::{CorrelationId, current, scope};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let id = CorrelationId::new();
/// let seen = scope(id.clone(), async { current() }).await;
/// assert_eq!(seen, Some(id));
/// # }).unwrap();
/// ```
pub fn scope<F: Future>(context: impl Into<Context>, future: F) -> Scoped<F> {
    Scoped::new(Ambient::Set(context.into()), future)
}

/// Runs a function with this ID (or [`Context`]) as the current one.
///
/// The previous context is current again when the function returns or panics.
///
/// ```
/// use correlation_core::{CorrelationId, current, sync_scope};
///
/// let id: CorrelationId = "click-1".parse()?;
/// let seen = sync_scope(id, || current().map(String::from));
/// assert_eq!(seen.as_deref(), Some("click-1"));
/// assert_eq!(current(), None);
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
pub fn sync_scope<R>(context: impl Into<Context>, f: impl FnOnce() -> R) -> R {
    let mut slot = Ambient::Set(context.into());
    let result = slot::with(&mut slot, f);
    slot.recycle();
    result
}

/// Runs a future without an ID. Use it for work that outlives the request that happens to start it.
///
/// ```
/// use correlation_core::{CorrelationId, current, detached, scope};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// scope(CorrelationId::new(), async {
///     assert_eq!(detached(async { current() }).await, None);
/// }).await;
/// # }).unwrap();
/// ```
pub fn detached<F: Future>(future: F) -> Scoped<F> {
    Scoped::new(Ambient::Detached, future)
}
