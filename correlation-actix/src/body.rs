use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use correlation_core::adapter::{self, AccessRecord};
use correlation_core::{InCurrent, Scoped};
use pin_project_lite::pin_project;

pin_project! {
    /// A response body that is polled and dropped in the scope of its request.
    ///
    /// The server polls a streamed body after the handler and all middleware have returned. Without
    /// this wrapper, its chunks would have no ID. A body whose bytes are complete runs no code that
    /// could read the ID, so it is passed on unchanged.
    #[derive(Debug)]
    pub struct CorrelatedBody<B> {
        #[pin]
        kind: Kind<B>,
        // It stays open until the body ends.
        access: AccessRecord,
    }
}

pin_project! {
    #[project = KindProj]
    #[derive(Debug)]
    enum Kind<B> {
        // `BoxBody` does not box bytes: it keeps them as they are.
        Complete { body: BoxBody },
        Scoped { #[pin] body: Scoped<B> },
    }
}

impl<B: MessageBody> CorrelatedBody<B> {
    /// Wraps a body. It has to be called in the scope of the request.
    pub(crate) fn new(mut access: AccessRecord, body: B) -> Self {
        let size = body.size();
        match size {
            // A body of size `None` is never polled.
            BodySize::None => access.length(0),
            BodySize::Sized(size) => access.length(size),
            BodySize::Stream => access.sent(0),
        }
        let complete = match size {
            // As bytes, it would have a size.
            BodySize::None => Err(body),
            BodySize::Sized(_) | BodySize::Stream => body.try_into_bytes(),
        };
        match complete {
            Ok(bytes) => {
                access.sent(bytes.len() as u64);
                access.complete();
                Self::complete(bytes)
            }
            // The body may run code even if it sends nothing. For example, the body of actix-web's
            // `Logger` writes its line when it is dropped.
            Err(body) => Self {
                kind: Kind::Scoped {
                    body: body.in_current(),
                },
                access,
            },
        }
    }

    pub(crate) fn complete(body: impl MessageBody + 'static) -> Self {
        let body = BoxBody::new(body);
        Self {
            kind: Kind::Complete { body },
            access: AccessRecord::default(),
        }
    }
}

impl<B: MessageBody> MessageBody for CorrelatedBody<B> {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        match &self.kind {
            Kind::Complete { body } => body.size(),
            Kind::Scoped { body } => adapter::inner(body).map_or(BodySize::None, MessageBody::size),
        }
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let poll = || match this.kind.project() {
            KindProj::Complete { body } => Pin::new(body).poll_next(cx),
            KindProj::Scoped { body } => {
                adapter::in_scope(body, |body| body.poll_next(cx).map_err(Into::into))
                    .unwrap_or(Poll::Ready(None))
            }
        };
        let polled = this.access.run(poll);
        match &polled {
            Poll::Ready(Some(Ok(chunk))) => this.access.sent(chunk.len() as u64),
            Poll::Ready(Some(Err(_))) => this.access.failed(),
            Poll::Ready(None) => this.access.complete(),
            Poll::Pending => {}
        }
        polled
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self.kind {
            Kind::Complete { body } => body.try_into_bytes().map_err(Self::complete),
            // `new` has already asked the inner body.
            Kind::Scoped { .. } => Err(self),
        }
    }
}
