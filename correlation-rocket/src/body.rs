use std::io;
use std::pin::Pin;
use std::task::{self, Poll};

use correlation_core::{Access, Context, Scoped};
use rocket::Response;
use rocket::response::Body;
use rocket::tokio::io::{AsyncRead, ReadBuf};

/// Has a streamed body produced, and dropped, in the scope of its request.
///
/// On a server the task has the ID anyway. A `LocalResponse` may be read in any task, and after
/// its request is gone. A body with a size is a file or in memory: that has nothing to log, and
/// would lose its `Content-Length` here.
pub(crate) async fn scope(context: Context, mut access: Access, response: &mut Response<'_>) {
    let body = response.body_mut();
    if body.size().await.is_some() {
        return access.complete();
    }
    let max_chunk_size = body.max_chunk_size();
    let body = Scoped::in_context(context, body.take());
    response.set_streamed_body(ScopedBody { body, access });
    response.set_max_chunk_size(max_chunk_size);
}

struct ScopedBody<'r> {
    body: Scoped<Body<'r>>,
    access: Access,
}

impl AsyncRead for ScopedBody<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.body)
            .with_pin_mut(|body| body.poll_read(cx, buf))
            .unwrap_or(Poll::Ready(Ok(())));
        if polled.is_ready() && buf.filled().len() == before {
            self.access.complete();
        }
        polled
    }
}
