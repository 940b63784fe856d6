use std::mem;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use correlation_core::{InCurrent, Scoped};
use pin_project_lite::pin_project;

pin_project! {
    /// A response body that is produced, and dropped, in the context of its request.
    ///
    /// The server polls a streamed body after the handler and all middleware have returned;
    /// without this its chunks would have no ID. A body that is complete already cannot read
    /// the ID any more, so it is passed on as it is.
    #[derive(Debug)]
    pub struct CorrelatedBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    #[derive(Debug)]
    enum Kind<B> {
        None,
        Complete { bytes: Bytes },
        Scoped { #[pin] body: Scoped<B> },
    }
}

impl<B: MessageBody> CorrelatedBody<B> {
    /// To be called in that context. Tells the kinds apart as actix-web does when it boxes a body.
    pub(crate) fn new(body: B) -> Self {
        let kind = match body.size() {
            BodySize::None => Kind::None,
            BodySize::Sized(_) | BodySize::Stream => match body.try_into_bytes() {
                Ok(bytes) => Kind::Complete { bytes },
                Err(body) => Kind::Scoped {
                    body: body.in_current(),
                },
            },
        };
        Self { kind }
    }

    pub(crate) const fn empty() -> Self {
        let bytes = Bytes::new();
        Self {
            kind: Kind::Complete { bytes },
        }
    }
}

impl<B: MessageBody> MessageBody for CorrelatedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        match &self.kind {
            Kind::None => BodySize::None,
            Kind::Complete { bytes } => bytes.size(),
            Kind::Scoped { body } => body.inner().map_or(BodySize::None, MessageBody::size),
        }
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match self.project().kind.project() {
            KindProj::Scoped { body } => body
                .with_pin_mut(|body| body.poll_next(cx))
                .unwrap_or(Poll::Ready(None)),
            KindProj::Complete { bytes } if !bytes.is_empty() => {
                Poll::Ready(Some(Ok(mem::take(bytes))))
            }
            KindProj::Complete { .. } | KindProj::None => Poll::Ready(None),
        }
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self.kind {
            Kind::None => Ok(Bytes::new()),
            Kind::Complete { bytes } => Ok(bytes),
            // It was asked when it was wrapped.
            Kind::Scoped { .. } => Err(self),
        }
    }
}
