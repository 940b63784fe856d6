use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::{fmt, mem};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::Context;
use super::slot::{self, Slot};

pin_project! {
    /// A future, stream or body with an ambient context of its own.
    ///
    /// Made by [`scope`](crate::scope), [`detached`](crate::detached) and
    /// [`in_current`](InCurrent::in_current). The context is in place whenever the inner value is
    /// polled, and while it is dropped: on completion, on cancellation and while unwinding.
    #[must_use = "futures and streams do nothing unless polled"]
    pub struct Scoped<T> {
        #[pin]
        inner: Option<T>,
        slot: Slot,
    }

    impl<T> PinnedDrop for Scoped<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Most are done by now, and then nothing is left to be dropped in scope.
            if this.inner.is_some() {
                slot::with(this.slot, || this.inner.set(None));
            }
        }
    }
}

impl<T> Scoped<T> {
    #[inline]
    pub(crate) const fn new(slot: Slot, inner: T) -> Self {
        Self {
            inner: Some(inner),
            slot,
        }
    }

    /// Gives `inner` this context: for bodies and other types that an adapter wraps.
    pub const fn in_context(context: Context, inner: T) -> Self {
        Self::new(Slot::Set(context), inner)
    }

    /// Gives what `make` returns this context, which `make` itself runs in already: for services,
    /// which may do work before they return their future.
    #[inline(always)]
    pub fn made_in_context(context: Context, make: impl FnOnce() -> T) -> Self {
        let mut scoped = Self {
            inner: None,
            slot: Slot::Set(context),
        };
        let inner = &mut scoped.inner;
        slot::with(&mut scoped.slot, || *inner = Some(make()));
        scoped
    }

    /// Gives `next`, which comes after a future that has ended, the future's context: for bodies
    /// of responses.
    #[inline]
    pub fn then<N>(self: Pin<&mut Self>, next: N) -> Scoped<N> {
        let slot = self.project().slot;
        Scoped::new(mem::replace(slot, Slot::Detached), next)
    }

    /// Runs `f` on the inner value, in its context: for traits this crate does not know, such as
    /// a framework's body. `None` if the inner value has ended and is gone.
    #[inline]
    pub fn with_pin_mut<R>(self: Pin<&mut Self>, f: impl FnOnce(Pin<&mut T>) -> R) -> Option<R> {
        let this = self.project();
        let inner = this.inner.as_pin_mut()?;
        Some(slot::with(this.slot, || f(inner)))
    }

    /// The inner value, outside of its context: for cheap questions such as a size. `None` if it
    /// has ended and is gone.
    pub const fn inner(&self) -> Option<&T> {
        self.inner.as_ref()
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        slot::with(this.slot, || {
            let inner = this.inner.as_mut().as_pin_mut();
            let polled = inner.expect("`Scoped` polled after it was done").poll(cx);
            if polled.is_ready() {
                this.inner.set(None);
            }
            polled
        })
    }
}

impl<S: Stream> Stream for Scoped<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        slot::with(this.slot, || {
            let Some(inner) = this.inner.as_mut().as_pin_mut() else {
                return Poll::Ready(None);
            };
            let polled = inner.poll_next(cx);
            if matches!(polled, Poll::Ready(None)) {
                this.inner.set(None);
            }
            polled
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<T: fmt::Debug> fmt::Debug for Scoped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scoped").field(&self.inner).finish()
    }
}

/// Takes the context of the caller along with a future or stream.
///
/// The context is taken when `in_current` is called, not when the value is first polled.
///
/// ```
/// use correlation_core::{CorrelationId, InCurrent, current, scope};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// scope(CorrelationId::new(), async {
///     let background = tokio::spawn(async { current() }.in_current());
///     assert_eq!(background.await.unwrap(), current());
///     assert_eq!(tokio::spawn(async { current() }).await.unwrap(), None); // without it
/// }).await;
/// # }
/// ```
pub trait InCurrent: Sized {
    /// Wraps the value so that it runs in the context of the caller.
    fn in_current(self) -> Scoped<Self> {
        Scoped::new(Slot::capture(), self)
    }
}

impl<T> InCurrent for T {}
