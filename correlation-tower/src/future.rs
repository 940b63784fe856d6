use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
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
    #[inline(always)]
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

    #[inline(always)]
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
        let Some(mut future) = this.future.as_mut().as_pin_mut() else {
            let response = rejection(this.settings, this.header, this.ending);
            return Poll::Ready(Ok(response));
        };
        let mut polled = this.ending.access.run(|| future.as_mut().poll(cx));
        if let Poll::Ready(Ok(response)) = &mut polled {
            this.ending.response(response);
            if let Some(header) = this.header.take() {
                this.settings.response.set(header, response.headers_mut());
            }
        }
        polled.map_ok(|response| {
            response.map(|body| CorrelatedBody::new(future, mem::take(this.ending), body))
        })
    }
}

#[cold]
fn rejection<B>(
    settings: &Settings,
    header: &mut Option<HeaderValue>,
    ending: &mut Ending,
) -> Response<CorrelatedBody<B>>
where
    B: Body,
{
    let mut response = Response::new(CorrelatedBody::default());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    ending.response(&response);
    if let Some(header) = header.take() {
        settings.response.set(header, response.headers_mut());
    }
    response
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}
