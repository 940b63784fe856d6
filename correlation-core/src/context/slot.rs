use std::cell::RefCell;
use std::mem::{self, ManuallyDrop};
#[cfg(feature = "tokio")]
use std::sync::OnceLock;

use super::Context;
#[cfg(feature = "tracing")]
use super::Extra;

thread_local! {
    // Every scope puts back what it found, so there is nothing to drop when the thread ends.
    // Then it is there until the end, and no access has to ask whether it still is.
    static CURRENT: RefCell<ManuallyDrop<Slot>> =
        const { RefCell::new(ManuallyDrop::new(Slot::Unset)) };
}

/// What one thread, or one parked future, holds.
pub(crate) enum Slot {
    /// No scope was entered: the fallback may know more.
    Unset,
    /// A scope with no ID: the fallback is not asked.
    Detached,
    /// A scope with this context.
    Set(Context),
}

impl Slot {
    /// What the caller sees now, to be seen somewhere else.
    pub(crate) fn capture() -> Self {
        current().map_or(Self::Detached, Self::Set)
    }
}

/// Runs `f` with `slot` as this thread's, and takes it back afterwards, also on a panic.
// It calls `f` in one place only: so that is inlined, and what it holds is not moved.
#[inline(always)]
pub(crate) fn with<R>(slot: &mut Slot, f: impl FnOnce() -> R) -> R {
    struct Restore<'a>(&'a mut Slot);

    impl Drop for Restore<'_> {
        #[inline]
        fn drop(&mut self) {
            swap(self.0);
        }
    }

    #[cfg(feature = "tracing")]
    let spanned = match slot {
        Slot::Set(context) => context.spanned(),
        Slot::Unset | Slot::Detached => None,
    };
    swap(slot);
    let _restore = Restore(slot);
    #[cfg(feature = "tracing")]
    let _entered = spanned.as_deref().and_then(Extra::enter);
    f()
}

pub(crate) fn current() -> Option<Context> {
    fn copy(context: Option<&Context>) -> Option<Context> {
        context.cloned()
    }
    with_current(copy)
}

/// `read` sees the context under a shared borrow, so it must not open a scope. It runs once.
pub(super) fn with_current<R>(mut read: impl FnMut(Option<&Context>) -> R) -> R {
    let known = CURRENT.with_borrow(|current| match &**current {
        Slot::Unset => None,
        Slot::Detached => Some(read(None)),
        Slot::Set(context) => Some(read(Some(context))),
    });
    known.unwrap_or_else(|| read(fallback().as_ref()))
}

/// The context of the scope that was entered on this thread, whatever the fallback knows.
#[inline]
pub(crate) fn entered() -> Option<Context> {
    CURRENT.with_borrow(|current| match &**current {
        Slot::Set(context) => Some(context.clone()),
        Slot::Unset | Slot::Detached => None,
    })
}

#[inline]
fn swap(slot: &mut Slot) {
    CURRENT.with_borrow_mut(|current| {
        // Half the instructions of `mem::swap`, which moves a word at a time.
        let entering = mem::replace(slot, Slot::Unset);
        *slot = mem::replace(current, entering);
    });
}

#[cfg(feature = "tokio")]
static FALLBACK: OnceLock<fn() -> Option<Context>> = OnceLock::new();

/// Sets who is asked where no scope was entered. The first one stays.
#[cfg(feature = "tokio")]
pub(crate) fn set_fallback(lookup: fn() -> Option<Context>) {
    let _ = FALLBACK.set(lookup);
}

#[cfg(feature = "tokio")]
fn fallback() -> Option<Context> {
    FALLBACK.get().and_then(|lookup| lookup())
}

#[cfg(not(feature = "tokio"))]
const fn fallback() -> Option<Context> {
    None
}
