use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{self, BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use correlation_core::{Access, InCurrent, Scoped};
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
        access: Access,
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
    pub(crate) fn new(mut access: Access, body: B) -> Self {
        let complete = match body.size() {
            BodySize::None => Ok(Self::complete(body::None::new())),
            _ => body.try_into_bytes().map(Self::complete),
        };
        match complete {
            Ok(body) => {
                access.complete();
                body
            }
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
            access: Access::default(),
        }
    }
}

impl<B: MessageBody> MessageBody for CorrelatedBody<B> {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        match &self.kind {
            Kind::Complete { body } => body.size(),
            Kind::Scoped { body } => body.inner().map_or(BodySize::None, MessageBody::size),
        }
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let poll = || match this.kind.project() {
            KindProj::Complete { body } => Pin::new(body).poll_next(cx),
            KindProj::Scoped { body } => body
                .with_pin_mut(|body| body.poll_next(cx).map_err(Into::into))
                .unwrap_or(Poll::Ready(None)),
        };
        let polled = this.access.run(poll);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            this.access.complete();
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
