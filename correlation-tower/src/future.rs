use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::{fmt, mem};

use correlation_core::Scoped;
use http::{HeaderValue, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use crate::CorrelatedBody;
use crate::ending::Ending;
use crate::settings::Settings;

pin_project! {
    /// The future of [`Correlation`](crate::Correlation).
    pub struct ResponseFuture<F> {
        // `None`: the policy rejects the request.
        #[pin]
        future: Option<Scoped<F>>,
        settings: Arc<Settings>,
        header: Option<HeaderValue>,
        ending: Ending,
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(crate) const fn running(
        settings: Arc<Settings>,
        header: HeaderValue,
        ending: Ending,
        future: Scoped<F>,
    ) -> Self {
        Self {
            future: Some(future),
            settings,
            header: Some(header),
            ending,
        }
    }

    #[inline]
    pub(crate) const fn rejected(
        settings: Arc<Settings>,
        header: HeaderValue,
        ending: Ending,
    ) -> Self {
        Self {
            future: None,
            settings,
            header: Some(header),
            ending,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<CorrelatedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut response = match this.future.as_mut().as_pin_mut() {
            Some(mut future) => {
                let poll = || future.as_mut().poll(cx);
                let response = ready!(this.ending.access.run(poll))?;
                let ending = mem::take(this.ending).response(&response);
                let context = future.context();
                response.map(|body| CorrelatedBody::new(context, ending, body))
            }
            None => {
                let mut response = Response::new(CorrelatedBody::default());
                *response.status_mut() = StatusCode::BAD_REQUEST;
                mem::take(this.ending).response(&response);
                response
            }
        };
        if let Some(header) = this.header.take() {
            this.settings.response.set(header, response.headers_mut());
        }
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}
