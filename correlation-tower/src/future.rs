use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use correlation_core::{Context, Policy, Scoped, http::answer};
use http::{HeaderValue, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use crate::CorrelatedBody;

pin_project! {
    /// The future of [`Correlation`](crate::Correlation).
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        policy: Arc<Policy>,
        header: Option<HeaderValue>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Running { #[pin] future: Scoped<F>, context: Context },
        Rejected,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) const fn running(
        policy: Arc<Policy>,
        header: HeaderValue,
        context: Context,
        future: Scoped<F>,
    ) -> Self {
        Self {
            state: State::Running { future, context },
            policy,
            header: Some(header),
        }
    }

    pub(crate) const fn rejected(policy: Arc<Policy>, header: HeaderValue) -> Self {
        Self {
            state: State::Rejected,
            policy,
            header: Some(header),
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
        let this = self.project();
        let mut response = match this.state.project() {
            StateProjection::Running { future, context } => {
                let response = ready!(future.poll(cx))?;
                response.map(|body| CorrelatedBody::new(context, body))
            }
            StateProjection::Rejected => {
                let mut response = Response::new(CorrelatedBody::default());
                *response.status_mut() = StatusCode::BAD_REQUEST;
                response
            }
        };
        if let Some(header) = this.header.take() {
            answer(this.policy, header, response.headers_mut());
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
