use std::any::Any;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::{fmt, mem};

use bytes::Bytes;
use correlation_core::Scoped;
use correlation_core::adapter::{self, AccessRecord};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::access;

pin_project! {
    /// A response body that is polled and dropped in the scope of its request.
    ///
    /// It implements [`Body`] if the inner body does and if the inner body's `Data` is `'static`.
    pub struct CorrelatedBody<B> {
        #[pin]
        body: Kind<B>,
        // It stays open until the body ends.
        access: AccessRecord,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        Scoped { #[pin] body: Scoped<B> },
        // The reason for a rejection, or an empty body.
        Text { text: &'static str },
    }
}

impl<B: Body<Data: 'static>> CorrelatedBody<B> {
    /// Wraps the body of the response that `future` returned.
    #[inline]
    pub(crate) fn new<F>(future: Pin<&mut Scoped<F>>, access: AccessRecord, body: B) -> Self {
        let body = adapter::hand_over(future, body);
        Self {
            body: Kind::Scoped { body },
            access,
        }
    }

    /// Makes a body of this text if `B::Data` can hold it, and an empty body otherwise.
    pub(crate) fn text(text: &'static str) -> Self {
        let text = data::<B::Data>(text).map_or("", |_| text);
        Self {
            body: Kind::Text { text },
            access: AccessRecord::default(),
        }
    }

    #[cold]
    fn follow(self: Pin<&mut Self>, polled: &Polled<B>) {
        let ended = self.is_end_stream();
        let record = self.project().access;
        match polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                access::frame(record, frame);
                if ended {
                    record.complete();
                }
            }
            Poll::Ready(Some(Err(_))) => record.failed(),
            Poll::Ready(None) => record.complete(),
        }
    }
}

impl<B: Body<Data: 'static>> Body for CorrelatedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Polled<B> {
        let this = self.as_mut().project();
        let poll = || match this.body.project() {
            KindProjection::Scoped { body } => {
                adapter::in_scope(body, |body| body.poll_frame(cx)).unwrap_or(Poll::Ready(None))
            }
            KindProjection::Text { text } => {
                let data = data(mem::take(text));
                Poll::Ready(data.map(|data| Ok(Frame::data(data))))
            }
        };
        let polled = this.access.run(poll);
        if self.access.is_open() {
            self.follow(&polled);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Kind::Scoped { body } => adapter::inner(body).is_none_or(Body::is_end_stream),
            Kind::Text { text } => text.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Kind::Scoped { body } => {
                adapter::inner(body).map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
            }
            Kind::Text { text } => SizeHint::with_exact(text.len() as u64),
        }
    }
}

type Polled<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// Converts the text to `D`, if `D` is one of the two usual types: `Bytes` or `&'static [u8]`. It
/// checks the type at run time, because a trait bound would exclude all other bodies.
fn data<D: 'static>(text: &'static str) -> Option<D> {
    fn cast<T: 'static, D: 'static>(value: T) -> Option<D> {
        let value: &mut dyn Any = &mut Some(value);
        value.downcast_mut::<Option<D>>()?.take()
    }

    if text.is_empty() {
        return None;
    }
    let bytes = text.as_bytes();
    cast(Bytes::from_static(bytes)).or_else(|| cast(bytes))
}

/// An empty body, which some other layers require.
impl<B> Default for CorrelatedBody<B> {
    fn default() -> Self {
        Self {
            body: Kind::Text { text: "" },
            access: AccessRecord::default(),
        }
    }
}

impl<B> fmt::Debug for CorrelatedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CorrelatedBody(..)")
    }
}
