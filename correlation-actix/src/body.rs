use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use correlation_core::adapter::{self, AccessRecord};
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
        // For the access record, until the body has ended.
        access: AccessRecord,
    }
}

pin_project! {
    #[project = KindProj]
    #[derive(Debug)]
    enum Kind<B> {
        // Not boxed: this type keeps bytes as they are.
        Complete { body: BoxBody },
        Scoped { #[pin] body: Scoped<B> },
    }
}

impl<B: MessageBody> CorrelatedBody<B> {
    /// To be called in that context.
    pub(crate) fn new(mut access: AccessRecord, body: B) -> Self {
        let size = body.size();
        match size {
            // A body of which there is nothing is never polled.
            BodySize::None => access.length(0),
            BodySize::Sized(size) => access.length(size),
            BodySize::Stream => access.sent(0),
        }
        let complete = match size {
            // As bytes it would have a size.
            BodySize::None => Err(body),
            BodySize::Sized(_) | BodySize::Stream => body.try_into_bytes(),
        };
        match complete {
            Ok(bytes) => {
                access.sent(bytes.len() as u64);
                access.complete();
                Self::complete(bytes)
            }
            // However little there is to send: the body of actix-web's `Logger`, for one, writes
            // its line when it is dropped.
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
            Poll::Ready(Some(Err(_)) | None) => this.access.complete(),
            Poll::Pending => {}
        }
        polled
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self.kind {
            Kind::Complete { body } => body.try_into_bytes().map_err(Self::complete),
            // It was asked when it was wrapped.
            Kind::Scoped { .. } => Err(self),
        }
    }
}
