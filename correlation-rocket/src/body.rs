use std::io;
use std::pin::Pin;
use std::task::{self, Poll};

use correlation_core::adapter::{self, AccessRecord};
use correlation_core::{Context, Scoped};
use rocket::Response;
use rocket::response::Body;
use rocket::tokio::io::{AsyncRead, ReadBuf};

/// Makes Rocket poll and drop a streamed body in the scope of its request.
///
/// On a server, the task has the ID anyway. But a test may read a `LocalResponse` in any task, and
/// after its request is gone. A body with a size is a file or is in memory. It has nothing to log,
/// and a wrapper would cost it its `Content-Length`.
pub(crate) async fn scope(context: Context, mut access: AccessRecord, response: &mut Response<'_>) {
    let body = response.body_mut();
    if let Some(size) = body.size().await {
        access.sent(size as u64);
        return access.complete();
    }
    access.sent(0);
    let max_chunk_size = body.max_chunk_size();
    let body = adapter::scoped(context, body.take());
    response.set_streamed_body(ScopedBody { body, access });
    response.set_max_chunk_size(max_chunk_size);
}

struct ScopedBody<'r> {
    body: Scoped<Body<'r>>,
    access: AccessRecord,
}

impl AsyncRead for ScopedBody<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { body, access } = &mut *self;
        let before = buf.filled().len();
        let read = || adapter::in_scope(Pin::new(body), |body| body.poll_read(cx, buf));
        let polled = access.run(read).unwrap_or(Poll::Ready(Ok(())));
        let bytes = buf.filled().len() - before;
        access.sent(bytes as u64);
        if polled.is_ready() && bytes == 0 {
            access.complete();
        }
        polled
    }
}
