//! The slot of a thread, or of a suspended future. It is the only state of the ambient context.

use std::cell::RefCell;
use std::mem::{self, ManuallyDrop};

use super::Context;

thread_local! {
    // Every scope restores the previous value, so nothing is left to drop when the thread ends. So
    // the slot exists until the end, and no access has to check whether it still exists.
    static CURRENT: RefCell<ManuallyDrop<Ambient>> =
        const { RefCell::new(ManuallyDrop::new(Ambient::Unset)) };
}

/// The ambient state: a context, none by intent, or none because there was none.
///
/// Most code needs only [`Context::current`]. Use this type in a client that begins a call in one
/// place and sends it in another.
///
/// The context of the place where a call is sent wins:
///
/// ```
/// use correlation_core::{CorrelationId, adapter::Ambient, sync_scope};
///
/// let id: CorrelationId = "click-1".parse()?;
/// let begun = sync_scope(id.clone(), Ambient::now); // kept beside the request
/// assert_eq!(begun.at_send().unwrap().id(), &id); // nobody knows better here
/// let other: CorrelationId = "click-2".parse()?;
/// assert_eq!(sync_scope(other.clone(), || begun.at_send()).unwrap().id(), &other);
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
#[derive(Clone, Debug, Default)]
pub enum Ambient {
    /// No scope was entered, and the framework knows no request either.
    #[default]
    Unset,
    /// The code was taken somewhere else from a place without a context, for instance with
    /// [`in_current`](crate::InCurrent::in_current). What the framework knows here is not asked.
    Absent,
    /// The code runs without a context, in [`detached`](crate::detached).
    Detached,
    /// This context is current.
    Set(Context),
}

impl Ambient {
    /// Returns the ambient state of the place where you call it.
    #[must_use]
    pub fn now() -> Self {
        match CURRENT.with_borrow(|current| Self::clone(current)) {
            Self::Unset => fallback().map_or(Self::Unset, Self::Set),
            known => known,
        }
    }

    /// Returns the context of a call that is sent here, and that began where `self` was ambient.
    ///
    /// The context of this place wins. If there is none here, the context of `self` counts. If
    /// either is [`Detached`](Self::Detached), the call has no context.
    #[must_use]
    pub fn at_send(&self) -> Option<Context> {
        match (self, Self::now()) {
            (Self::Detached, _) | (_, Self::Detached) => None,
            (_, Self::Set(context)) => Some(context),
            (Self::Set(context), _) => Some(context.clone()),
            _ => None,
        }
    }

    /// Captures the current context, to use it somewhere else.
    pub(super) fn capture() -> Self {
        match Self::now() {
            Self::Unset => Self::Absent,
            known => known,
        }
    }

    /// Reuses the memory of the context, since the scope has ended for good.
    #[inline]
    pub(super) fn recycle(&mut self) {
        if let Self::Set(context) = mem::take(self) {
            context.recycle();
        }
    }

    /// Returns the context, if it has a span to enter.
    #[cfg(feature = "tracing")]
    #[inline]
    fn spanned(&self) -> Option<Context> {
        match self {
            Self::Set(context) if context.span().is_some() => Some(context.clone()),
            _ => None,
        }
    }
}

/// Runs `f` with `slot` as the state of this thread. It restores the previous state afterwards,
/// also after a panic.
// It calls `f` in only one place, so that `f` is inlined and its captures are not moved.
#[inline(always)]
pub(super) fn with<R>(slot: &mut Ambient, f: impl FnOnce() -> R) -> R {
    struct Restore<'a>(&'a mut Ambient);

    impl Drop for Restore<'_> {
        #[inline]
        fn drop(&mut self) {
            swap(self.0);
        }
    }

    #[cfg(feature = "tracing")]
    let spanned = slot.spanned();
    swap(slot);
    let _restore = Restore(slot);
    #[cfg(feature = "tracing")]
    let _entered = spanned
        .as_ref()
        .and_then(Context::span)
        .map(super::span::RequestSpan::enter);
    f()
}

pub(super) fn current() -> Option<Context> {
    read(|context| Some(context?.clone()))
}

/// Runs `look` on the current context without cloning it. `look` runs once, under a shared borrow.
/// So it must be code of this crate that opens no scope.
#[inline]
pub(crate) fn read<R>(mut look: impl FnMut(Option<&Context>) -> R) -> R {
    let known = CURRENT.with_borrow(|current| match &**current {
        Ambient::Unset => None,
        Ambient::Absent | Ambient::Detached => Some(look(None)),
        Ambient::Set(context) => Some(look(Some(context))),
    });
    known.unwrap_or_else(|| look(fallback().as_ref()))
}

/// Returns the same as [`current`], for the panic hook, where nothing may panic.
pub(crate) fn current_if_readable() -> Option<Context> {
    let known = CURRENT.try_with(|current| match &**current.try_borrow().ok()? {
        Ambient::Unset => None,
        Ambient::Absent | Ambient::Detached => Some(None),
        Ambient::Set(context) => Some(Some(context.clone())),
    });
    known.ok().flatten().unwrap_or_else(fallback)
}

/// Returns the context of the scope that this thread is in, without asking the fallback.
#[inline]
pub(crate) fn scoped_context() -> Option<Context> {
    CURRENT.with_borrow(|current| match &**current {
        Ambient::Set(context) => Some(context.clone()),
        _ => None,
    })
}

#[inline]
fn swap(slot: &mut Ambient) {
    CURRENT.with_borrow_mut(|current| mem::swap(&mut **current, slot));
}

/// The context of the running task, if no scope was entered.
#[cfg(feature = "tokio")]
use super::task::lookup as fallback;

#[cfg(not(feature = "tokio"))]
const fn fallback() -> Option<Context> {
    None
}
