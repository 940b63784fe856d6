use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::{fmt, mem};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::Context;
use super::slot::{self, Ambient};

pin_project! {
    /// A future, stream or body that runs in its own context.
    ///
    /// [`scope`](crate::scope), [`detached`](crate::detached) and
    /// [`in_current`](InCurrent::in_current) return it. The context is current whenever the inner
    /// value is polled, and while it is dropped: on completion, on cancellation and while
    /// unwinding.
    #[must_use = "futures and streams do nothing unless polled"]
    pub struct Scoped<T> {
        #[pin]
        inner: Option<T>,
        slot: Ambient,
    }

    impl<T> PinnedDrop for Scoped<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Most futures are complete by now, and then there is nothing left to drop in the
            // scope.
            if this.inner.is_some() {
                slot::with(this.slot, || this.inner.set(None));
            }
            this.slot.recycle();
        }
    }
}

// The methods other than `new` are public under `adapter`.
impl<T> Scoped<T> {
    #[inline]
    pub(super) const fn new(slot: Ambient, inner: T) -> Self {
        Self {
            inner: Some(inner),
            slot,
        }
    }

    #[inline]
    pub(crate) const fn in_context(context: Context, inner: T) -> Self {
        Self::new(Ambient::Set(context), inner)
    }

    #[inline(always)]
    pub(crate) fn made_in_context(context: Context, make: impl FnOnce() -> T) -> Self {
        let mut slot = Ambient::Set(context);
        let inner = slot::with(&mut slot, make);
        Self::new(slot, inner)
    }

    pub(crate) const fn ended() -> Self {
        Self {
            inner: None,
            slot: Ambient::Detached,
        }
    }

    #[inline]
    pub(crate) fn hand_over<N>(self: Pin<&mut Self>, next: N) -> Scoped<N> {
        let slot = self.project().slot;
        Scoped::new(mem::replace(slot, Ambient::Detached), next)
    }

    #[inline]
    pub(crate) fn with_pin_mut<R>(
        self: Pin<&mut Self>,
        f: impl FnOnce(Pin<&mut T>) -> R,
    ) -> Option<R> {
        let this = self.project();
        let inner = this.inner.as_pin_mut()?;
        Some(slot::with(this.slot, || f(inner)))
    }

    /// Takes it apart, before it was pinned.
    pub(super) fn into_parts(mut self) -> (Ambient, T) {
        let inner = self.inner.take().expect("it is there until it has ended");
        (mem::take(&mut self.slot), inner)
    }

    pub(crate) const fn inner(&self) -> Option<&T> {
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
            let polled = inner.expect("`Scoped` polled after completion").poll(cx);
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

/// Wraps a future or stream so that it runs in the current context.
///
/// The context is taken when you call `in_current`, not when the value is first polled.
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
    /// Wraps the value so that it runs in the current context.
    fn in_current(self) -> Scoped<Self> {
        Scoped::new(Ambient::capture(), self)
    }
}

impl<T> InCurrent for T {}
