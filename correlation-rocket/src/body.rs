use std::io;
use std::pin::Pin;
use std::task::{self, Poll};

use correlation_core::{Context, Scoped};
use rocket::Response;
use rocket::response::Body;
use rocket::tokio::io::{AsyncRead, ReadBuf};

/// Has a streamed body produced, and dropped, in the scope of its request.
///
/// On a server the task has the ID anyway. A `LocalResponse` may be read in any task, and after
/// its request is gone. A body with a size is a file or in memory: that has nothing to log, and
/// would lose its `Content-Length` here.
pub(crate) async fn scope(context: Context, response: &mut Response<'_>) {
    let body = response.body_mut();
    if body.size().await.is_some() {
        return;
    }
    let max_chunk_size = body.max_chunk_size();
    let body = Scoped::in_context(context, body.take());
    response.set_streamed_body(ScopedBody(body));
    response.set_max_chunk_size(max_chunk_size);
}

struct ScopedBody<'r>(Scoped<Body<'r>>);

impl AsyncRead for ScopedBody<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0)
            .with_pin_mut(|body| body.poll_read(cx, buf))
            .unwrap_or(Poll::Ready(Ok(())))
    }
}
