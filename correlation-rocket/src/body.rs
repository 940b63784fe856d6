use std::io;
use std::pin::Pin;
use std::task::{self, Poll};

use correlation_core::adapter::{self, AccessRecord};
use correlation_core::{Context, Scoped};
use rocket::Response;
use rocket::response::Body;
use rocket::tokio::io::{AsyncRead, AsyncSeek, ReadBuf};

/// Makes Rocket poll and drop a body in the scope of its request.
///
/// On a server, the task has the ID anyway. But a test may read a `LocalResponse` in any task, and
/// after its request is gone. A body with a size is a file or is in memory, and has nothing to log.
/// So it is wrapped only to count its bytes.
pub(crate) async fn scope(context: Context, mut access: AccessRecord, response: &mut Response<'_>) {
    let body = response.body_mut();
    let size = body.size().await;
    match size {
        Some(size) => access.length(size as u64),
        None => access.sent(0),
    }
    if size.is_some() && !access.is_open() {
        return;
    }
    let max_chunk_size = body.max_chunk_size();
    let body = adapter::scoped(context, body.take());
    let body = ScopedBody { body, access };
    match size {
        Some(_) => response.set_sized_body(size, body),
        None => response.set_streamed_body(body),
    }
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
        match polled {
            Poll::Ready(Err(_)) => access.failed(),
            Poll::Ready(Ok(())) if bytes == 0 => access.complete(),
            _ => {}
        }
        polled
    }
}

/// Rocket seeks only to learn the size, which it is told.
impl AsyncSeek for ScopedBody<'_> {
    fn start_seek(self: Pin<&mut Self>, _: io::SeekFrom) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
