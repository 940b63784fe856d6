//! The least that a layer can do: one pass over the headers, the ID where a thread finds it at every
//! poll, one header of the response. No policy, no second occurrence, no scope of the synchronous
//! part, of drops, of panics or of the body, no `None` that differs from unset.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use correlation_core::CorrelationId;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower::Service;

use super::NAME;

#[derive(Clone)]
pub(crate) struct Floor<S>(pub(crate) S);

impl<S, B, R> Service<Request<B>> for Floor<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = FloorFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let value = found(request.headers()).unwrap_or_else(|| CorrelationId::new().into());
        FloorFuture {
            inner: self.0.call(request),
            value: Some(value),
        }
    }
}

fn found(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_ours = |name: &str| {
        (name.len() == 12 && name == NAME) || (name.len() == 16 && name == "x-correlation-id")
    };
    let (_, value) = headers.iter().find(|(name, _)| is_ours(name.as_str()))?;
    let valid = value.len() <= 128 && value.as_bytes().iter().all(u8::is_ascii_graphic);
    valid.then(|| value.clone())
}

thread_local! {
    static CURRENT: Cell<Option<HeaderValue>> = const { Cell::new(None) };
}

pin_project! {
    pub(crate) struct FloorFuture<F> {
        #[pin]
        inner: F,
        value: Option<HeaderValue>,
    }
}

impl<F, R, E> Future for FloorFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outer = CURRENT.replace(this.value.take());
        let polled = this.inner.poll(cx);
        *this.value = CURRENT.replace(outer);
        let mut response = ready!(polled)?;
        if let Some(value) = this.value.take() {
            response
                .headers_mut()
                .insert(HeaderName::from_static(NAME), value);
        }
        Poll::Ready(Ok(response))
    }
}
