//! The ambient context: what is read wherever a log line is written or a call leaves.

mod scoped;
mod slot;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use scoped::{InCurrent, Scoped};
#[cfg(feature = "tokio")]
pub(crate) use slot::set_fallback;
pub(crate) use slot::{Slot, entered};

use crate::trace_context::{Trace, TraceId};
use crate::{CorrelationId, Source};

/// All that is known about the action that is being worked on: its ID, where that came from, and
/// what else the caller sent.
///
/// Most code needs only [`current()`](crate::current), the ID. Adapters and custom servers get a
/// `Context` from [`Policy::receive`](crate::Policy::receive) and run the request in it with
/// [`scope`](crate::scope).
#[derive(Clone)]
pub struct Context {
    id: CorrelationId,
    source: Source,
    extra: Option<Arc<Extra>>,
}

/// What most requests do not have, so that a context is cheap without it.
#[cfg_attr(feature = "tracing", derive(Default))]
struct Extra {
    upstream: Option<Upstream>,
    trace: Option<Trace>,
    #[cfg(feature = "tracing")]
    span: Option<::tracing::Span>,
}

struct Upstream {
    id: CorrelationId,
    logged: AtomicBool,
}

impl Extra {
    fn new(upstream: Option<CorrelationId>, trace: Option<Trace>) -> Arc<Self> {
        let upstream = upstream.map(|id| Upstream {
            id,
            logged: AtomicBool::new(false),
        });
        Arc::new(Self {
            upstream,
            trace,
            #[cfg(feature = "tracing")]
            span: None,
        })
    }

    #[cfg(feature = "tracing")]
    fn enter(&self) -> Option<::tracing::span::Entered<'_>> {
        self.span.as_ref().map(::tracing::Span::enter)
    }
}

impl Context {
    /// A context with this ID and nothing else.
    #[must_use]
    pub const fn new(id: CorrelationId) -> Self {
        Self {
            id,
            source: Source::Explicit,
            extra: None,
        }
    }

    #[inline(always)]
    pub(crate) fn received(
        id: CorrelationId,
        source: Source,
        upstream: Option<CorrelationId>,
        trace: Option<Trace>,
    ) -> Self {
        let extra = if upstream.is_none() && trace.is_none() {
            None
        } else {
            Some(Extra::new(upstream, trace))
        };
        Self { id, source, extra }
    }

    /// The context that this code runs in, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        slot::current()
    }

    /// The correlation ID.
    #[inline]
    #[must_use]
    pub const fn id(&self) -> &CorrelationId {
        &self.id
    }

    /// Where the ID came from.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// The valid ID of a caller that the policy does not trust: kept beside the fresh one, and
    /// written once, on the first log line.
    #[must_use]
    pub fn upstream_id(&self) -> Option<&CorrelationId> {
        Some(&self.extra.as_deref()?.upstream.as_ref()?.id)
    }

    /// The trace-id of a valid W3C `traceparent` that came in. It is the correlation ID as well
    /// when the caller sent no other.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        Some(self.trace()?.parent.trace_id())
    }

    /// Opens the span of a request, which every scope enters from now on.
    #[cfg(feature = "tracing")]
    #[cold]
    pub(crate) fn open_span(&mut self) {
        let id = self.id.as_str();
        let span = ::tracing::info_span!(target: "correlation", "request", correlation_id = id);
        // Nobody else has a context that was just made.
        if let Some(extra) = Arc::get_mut(self.extra.get_or_insert_default()) {
            extra.span = Some(span);
        }
    }

    /// What has a span to enter, if there is one.
    #[cfg(feature = "tracing")]
    #[inline]
    fn spanned(&self) -> Option<Arc<Extra>> {
        self.extra
            .as_ref()
            .filter(|extra| extra.span.is_some())
            .cloned()
    }

    pub(crate) fn trace(&self) -> Option<&Trace> {
        self.extra.as_deref()?.trace.as_ref()
    }

    /// The upstream ID for whoever asks first, `None` for all others: for log writers, so that it
    /// stands on the first line of the action only.
    #[must_use]
    pub fn take_upstream_id(&self) -> Option<&CorrelationId> {
        let upstream = self.extra.as_deref()?.upstream.as_ref()?;
        (!upstream.logged.swap(true, Ordering::Relaxed)).then_some(&upstream.id)
    }
}

impl From<CorrelationId> for Context {
    fn from(id: CorrelationId) -> Self {
        Self::new(id)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("upstream_id", &self.upstream_id())
            .field("trace_id", &self.trace_id())
            .finish()
    }
}

/// The ID of the action that this code works for: anywhere, sync or async, with no argument.
///
/// `None` outside of any scope, and in tasks and threads that were started without one of the
/// helpers ([`InCurrent::in_current`], [`bind`], [`carry`], `spawn`, `spawn_blocking`).
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
    with_current(|context| context.map(|context| context.id.clone()))
}

/// Runs `read` on the ambient context where it lies. `read` must be this crate's own code: it
/// must not open a scope.
pub(crate) fn with_current<R>(read: impl FnMut(Option<&Context>) -> R) -> R {
    slot::with_current(read)
}

/// Runs a future with this ID (or [`Context`]) as the ambient one: at every poll, and while it is
/// dropped.
///
/// What it spawns does not inherit the ID by itself: use the helpers.
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
    Scoped::new(Slot::Set(context.into()), future)
}

/// Runs a function with this ID (or [`Context`]) as the ambient one.
///
/// The former one is back when the function returns, and when it panics.
pub fn sync_scope<R>(context: impl Into<Context>, f: impl FnOnce() -> R) -> R {
    slot::with(&mut Slot::Set(context.into()), f)
}

/// Runs a future with no ambient ID: for work that outlives the request that happens to start it.
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
    Scoped::new(Slot::Detached, future)
}

/// Binds a function to the context of the caller: for `spawn_blocking`, threads and rayon.
///
/// The context is taken when `bind` is called.
///
/// ```
/// use correlation_core::{CorrelationId, bind, current, sync_scope};
///
/// let id = CorrelationId::new();
/// let thread = sync_scope(id.clone(), || std::thread::spawn(bind(|| current())));
/// assert_eq!(thread.join().unwrap(), Some(id));
/// ```
pub fn bind<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let mut slot = Slot::capture();
    move || slot::with(&mut slot, f)
}

/// Carries the context of the caller into an async callback that a framework runs in a task of
/// its own, as `on_upgrade` of WebSockets does.
///
/// The context is taken when `carry` is called: `on_upgrade(carry(handler))`. Calling
/// [`in_current`](InCurrent::in_current) inside the callback would be too late.
///
/// ```
/// use correlation_core::{CorrelationId, carry, current, sync_scope};
///
/// let id = CorrelationId::new();
/// let on_upgrade = sync_scope(id.clone(), || carry(|_socket: u8| async { current() }));
/// # let seen = futures_util::future::FutureExt::now_or_never(
/// on_upgrade(1) // called by the framework, somewhere else
/// # ).unwrap();
/// # assert_eq!(seen, Some(id));
/// # ;
/// ```
pub fn carry<A, F: Future>(f: impl FnOnce(A) -> F) -> impl FnOnce(A) -> Scoped<F> {
    let mut slot = Slot::capture();
    move |argument| {
        let future = slot::with(&mut slot, || f(argument));
        Scoped::new(slot, future)
    }
}

#[cfg(test)]
mod tests;
