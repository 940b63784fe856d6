//! What the storage or the handler inside says is passed on.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use apalis_core::backend::Backend;
use apalis_core::task::Task;
use apalis_core::worker::context::WorkerContext;
use correlation_apalis::{Correlate, CorrelationLayer};
use futures_util::Sink;
use tower_layer::Layer;
use tower_service::Service;

/// A storage and a handler that are never ready, and say how often they were asked.
#[derive(Clone, Default)]
struct NeverReady(Arc<AtomicUsize>);

impl NeverReady {
    fn asked<T>(&self) -> Poll<T> {
        self.0.fetch_add(1, Relaxed);
        Poll::Pending
    }
}

impl Backend for NeverReady {
    type Task = Task<u32>;
    type Error = Infallible;

    fn poll_ready(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        self.asked()
    }

    fn poll_next(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Task<u32>, Infallible>>> {
        self.asked()
    }

    fn poll_close(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        self.asked()
    }
}

impl Sink<Task<u32>> for NeverReady {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.asked()
    }

    fn start_send(self: Pin<&mut Self>, _: Task<u32>) -> Result<(), Infallible> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.asked()
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.asked()
    }
}

impl Service<Task<u32>> for NeverReady {
    type Response = ();
    type Error = Infallible;
    type Future = Ready<Result<(), Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.asked()
    }

    fn call(&mut self, _: Task<u32>) -> Self::Future {
        ready(Ok(()))
    }
}

#[test]
fn who_is_not_ready_is_waited_for() {
    let (inner, cx, worker) = (
        NeverReady::default(),
        &mut Context::from_waker(Waker::noop()),
        &WorkerContext::new("w"),
    );
    let mut storage = inner.clone().correlated();
    assert!(Backend::poll_ready(&mut storage, cx, worker).is_pending());
    assert!(storage.poll_next(cx, worker).is_pending());
    assert!(Backend::poll_close(&mut storage, cx, worker).is_pending());
    assert!(Sink::poll_ready(Pin::new(&mut storage), cx).is_pending());
    assert!(Sink::poll_flush(Pin::new(&mut storage), cx).is_pending());
    assert!(Sink::poll_close(Pin::new(&mut storage), cx).is_pending());
    let mut service = CorrelationLayer::new().layer(inner.clone());
    assert!(service.poll_ready(cx).is_pending());
    assert_eq!(inner.0.load(Relaxed), 7);
}
