use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, ready};

use actix_web::http::Uri;
use actix_web::http::header::LOCATION;
use awc::ConnectResponse;
use awc::error::SendRequestError;
use correlation_core::Context;
use pin_project_lite::pin_project;
use tokio::task::{self, Id};

/// Where a redirect leaves the context of its call for the next hop.
///
/// `awc` follows redirects outside of all middleware. It calls the middleware anew for the next
/// hop, at a time when another context may be ambient: that of whoever awaits the response. All
/// of this happens in one poll, while the future of the last hop is still there, so what is left
/// here is gone before anybody else could find it.
#[derive(Default)]
pub(super) struct Redirects(Cell<Option<Redirect>>);

impl Redirects {
    /// The context of the call that a request to this URI goes on with, if it does: `Some(None)`
    /// for a call that was made outside of any scope.
    pub(super) fn take(&self, uri: &Uri) -> Option<Option<Context>> {
        let redirect = self.0.take()?;
        redirect.leads_to(uri).then_some(redirect.context)
    }
}

impl fmt::Debug for Redirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redirects").finish_non_exhaustive()
    }
}

/// An answer that sends the client elsewhere.
struct Redirect {
    context: Option<Context>,
    to: Uri,
    task: Option<Id>,
}

impl Redirect {
    fn new(response: &ConnectResponse, context: Option<Context>, from: &Uri) -> Option<Self> {
        let ConnectResponse::Client(response) = response else {
            return None;
        };
        let location = response.headers().get(LOCATION)?.as_bytes();
        Some(Self {
            context,
            to: resolve(from, location)?,
            task: task::try_id(),
        })
    }

    /// Whether this request is the next hop. It could be somebody else's if redirects are not
    /// followed and the future of the answer is kept.
    fn leads_to(&self, uri: &Uri) -> bool {
        self.to == *uri && self.task == task::try_id()
    }
}

/// Where `awc` goes from here. Its rule is simpler than that of RFC 3986 section 5.2: what has
/// neither a scheme nor an authority is a path from the root.
fn resolve(from: &Uri, location: &[u8]) -> Option<Uri> {
    if let Ok(uri) = Uri::try_from(location)
        && uri.scheme().is_some()
    {
        return Some(uri);
    }
    let scheme = from.scheme_str()?;
    let slashes = location.iter().take_while(|&&byte| byte == b'/').count();
    let uri = if slashes >= 2 {
        [scheme.as_bytes(), b":", location].concat()
    } else {
        let authority = from.authority()?.as_str().as_bytes();
        let slash: &[u8] = if slashes == 0 { b"/" } else { b"" };
        [scheme.as_bytes(), b"://", authority, slash, location].concat()
    };
    Uri::try_from(uri).ok()
}

pin_project! {
    /// The future of a request: made by [`PropagateMiddleware`](crate::PropagateMiddleware).
    pub struct PropagateFuture<F> {
        #[pin]
        future: F,
        redirects: Rc<Redirects>,
        context: Option<Context>,
        uri: Uri,
    }

    impl<F> PinnedDrop for PropagateFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            this.redirects.0.take();
        }
    }
}

impl<F> PropagateFuture<F> {
    pub(super) const fn new(
        future: F,
        redirects: Rc<Redirects>,
        context: Option<Context>,
        uri: Uri,
    ) -> Self {
        Self {
            future,
            redirects,
            context,
            uri,
        }
    }
}

impl<F> Future for PropagateFuture<F>
where
    F: Future<Output = Result<ConnectResponse, SendRequestError>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.future.poll(cx));
        if let Ok(response) = &result {
            let redirect = Redirect::new(response, this.context.take(), this.uri);
            this.redirects.0.set(redirect);
        }
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for PropagateFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PropagateFuture").finish_non_exhaustive()
    }
}
