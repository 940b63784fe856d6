use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use correlation_core::Scoped;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::ending::Ending;

pin_project! {
    /// A response body that is produced, and dropped, in the scope of its request.
    pub struct CorrelatedBody<B> {
        #[pin]
        body: Kind<B>,
        ending: Ending,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        Scoped { #[pin] body: Scoped<B> },
        Plain { #[pin] body: B },
        Empty,
    }
}

impl<B: Body> CorrelatedBody<B> {
    /// The body of the response that `future` has made.
    #[inline]
    pub(crate) fn new<F>(future: Pin<&mut Scoped<F>>, ending: Ending, body: B) -> Self {
        // A body that is over before it began has no code left to run.
        let body = if body.is_end_stream() {
            Kind::Plain { body }
        } else {
            Kind::Scoped {
                body: future.then(body),
            }
        };
        Self { body, ending }
    }
}

impl<B> CorrelatedBody<B> {
    fn inner(&self) -> Option<&B> {
        match &self.body {
            Kind::Scoped { body } => body.inner(),
            Kind::Plain { body } => Some(body),
            Kind::Empty => None,
        }
    }
}

impl<B: Body> Body for CorrelatedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.as_mut().project();
        let poll = || match this.body.project() {
            KindProjection::Scoped { body } => body
                .with_pin_mut(|body| body.poll_frame(cx))
                .unwrap_or(Poll::Ready(None)),
            KindProjection::Plain { body } => body.poll_frame(cx),
            KindProjection::Empty => Poll::Ready(None),
        };
        if !this.ending.access.is_open() {
            return poll();
        }
        let polled = this.ending.access.run(poll);
        let ended = match &polled {
            Poll::Pending => false,
            Poll::Ready(Some(Ok(frame))) => this.ending.is_last(frame) || self.is_end_stream(),
            Poll::Ready(Some(Err(_)) | None) => true,
        };
        if ended {
            self.project().ending.access.complete();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// An empty body, which some other layers ask for.
impl<B> Default for CorrelatedBody<B> {
    fn default() -> Self {
        Self {
            body: Kind::Empty,
            ending: Ending::default(),
        }
    }
}

impl<B> fmt::Debug for CorrelatedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CorrelatedBody(..)")
    }
}
