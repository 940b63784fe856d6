//! What one thread, or one parked future, holds: the only state of the ambient context.

use std::cell::RefCell;
use std::mem::{self, ManuallyDrop};

use super::Context;

thread_local! {
    // Every scope puts back what it found, so there is nothing to drop when the thread ends.
    // Then it is there until the end, and no access has to ask whether it still is.
    static CURRENT: RefCell<ManuallyDrop<Ambient>> =
        const { RefCell::new(ManuallyDrop::new(Ambient::Unset)) };
}

/// What is ambient: [`Context::current`] for clients whose calls are begun in one place and sent in
/// another, and which have to tell the two ways of having no context.
///
/// The context that counts is the one where a call is sent:
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
    /// No scope was entered, and the framework knows of no request. Nobody has decided anything.
    #[default]
    Unset,
    /// None, as [`detached`](crate::detached) says.
    Detached,
    /// This context.
    Set(Context),
}

impl Ambient {
    /// What is ambient here.
    #[must_use]
    pub fn now() -> Self {
        match CURRENT.with_borrow(|current| Self::clone(current)) {
            Self::Unset => fallback().map_or(Self::Unset, Self::Set),
            known => known,
        }
    }

    /// The context of a call that is sent here, and was begun where `self` was ambient: the one of
    /// here; the one of there where nothing is ambient here. None if either is
    /// [`Detached`](Self::Detached).
    #[must_use]
    pub fn at_send(&self) -> Option<Context> {
        match (self, Self::now()) {
            (Self::Detached, _) | (_, Self::Detached) | (Self::Unset, Self::Unset) => None,
            (_, Self::Set(context)) => Some(context),
            (Self::Set(context), Self::Unset) => Some(context.clone()),
        }
    }

    /// What the caller sees now, to be seen somewhere else.
    pub(super) fn capture() -> Self {
        current().map_or(Self::Detached, Self::Set)
    }

    /// The scope has ended for good.
    #[inline]
    pub(super) fn recycle(&mut self) {
        if let Self::Set(context) = mem::take(self) {
            context.recycle();
        }
    }

    /// The context, if it has a span to enter.
    #[cfg(feature = "tracing")]
    #[inline]
    fn spanned(&self) -> Option<Context> {
        match self {
            Self::Set(context) if context.span().is_some() => Some(context.clone()),
            _ => None,
        }
    }
}

/// Runs `f` with `slot` as this thread's, and takes it back afterwards, also on a panic.
// It calls `f` in one place only: so that is inlined, and what it holds is not moved.
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

/// Runs `look` on the ambient context where it lies. It sees the context under a shared borrow, so
/// it must be this crate's own code and must not open a scope. It runs once.
#[inline]
pub(crate) fn read<R>(mut look: impl FnMut(Option<&Context>) -> R) -> R {
    let known = CURRENT.with_borrow(|current| match &**current {
        Ambient::Unset => None,
        Ambient::Detached => Some(look(None)),
        Ambient::Set(context) => Some(look(Some(context))),
    });
    known.unwrap_or_else(|| look(fallback().as_ref()))
}

/// As [`current`], for the panic hook, where nothing may panic.
pub(crate) fn current_if_readable() -> Option<Context> {
    let known = CURRENT.try_with(|current| match &**current.try_borrow().ok()? {
        Ambient::Unset => None,
        Ambient::Detached => Some(None),
        Ambient::Set(context) => Some(Some(context.clone())),
    });
    known.ok().flatten().unwrap_or_else(fallback)
}

/// The context of the scope that was entered on this thread, whatever the fallback knows.
#[inline]
pub(crate) fn scoped_context() -> Option<Context> {
    CURRENT.with_borrow(|current| match &**current {
        Ambient::Set(context) => Some(context.clone()),
        Ambient::Unset | Ambient::Detached => None,
    })
}

#[inline]
fn swap(slot: &mut Ambient) {
    CURRENT.with_borrow_mut(|current| mem::swap(&mut **current, slot));
}

/// What is known of the running task, where no scope was entered.
#[cfg(feature = "tokio")]
use super::task::lookup as fallback;

#[cfg(not(feature = "tokio"))]
const fn fallback() -> Option<Context> {
    None
}
