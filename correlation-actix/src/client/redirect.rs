use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::ptr;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, ready};

use actix_web::dev::Service;
use awc::error::SendRequestError;
use awc::{ConnectRequest, ConnectResponse};
use correlation_core::{Context, Targets};
use pin_project_lite::pin_project;

use super::send;

/// The place where a hop that ends in a redirect leaves its context for the next hop.
///
/// `awc` follows redirects outside all middleware. For the next hop it calls the middleware again,
/// while the context of the code that awaits the response may be ambient. Both happen in one poll,
/// and the future of the next hop takes the place of the last one.
///
/// So the address tells the next hop from a call of other code that has kept the future of an
/// answer that was not followed. While that future exists, no other future can be at its address.
#[derive(Default)]
pub(super) struct Redirects(Cell<Option<Redirect>>);

impl Redirects {
    pub(super) fn take(&self) -> Option<Redirect> {
        self.0.take()
    }
}

impl fmt::Debug for Redirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redirects").finish_non_exhaustive()
    }
}

/// An answer that redirects the client.
pub(super) struct Redirect {
    /// `None` for a call that was made outside any scope.
    context: Option<Context>,
    /// The address of the future that ended with this answer.
    place: usize,
}

pin_project! {
    /// The future of a request. [`PropagateMiddleware`](crate::PropagateMiddleware) makes it.
    pub struct PropagateFuture<S>
    where
        S: Service<ConnectRequest>,
    {
        #[pin]
        future: Option<S::Future>,
        // A call that may be the next hop of another one. `poll` decides that.
        undecided: Option<Box<Undecided<S>>>,
        redirects: Rc<Redirects>,
        context: Option<Context>,
    }

    impl<S> PinnedDrop for PropagateFuture<S>
    where
        S: Service<ConnectRequest>,
    {
        fn drop(this: Pin<&mut Self>) {
            this.redirects.take();
        }
    }
}

pub(super) struct Undecided<S> {
    pub(super) service: Rc<S>,
    pub(super) targets: Targets,
    pub(super) request: ConnectRequest,
    pub(super) redirect: Redirect,
}

impl<S: Service<ConnectRequest>> PropagateFuture<S> {
    pub(super) const fn new(
        future: Option<S::Future>,
        undecided: Option<Box<Undecided<S>>>,
        redirects: Rc<Redirects>,
        context: Option<Context>,
    ) -> Self {
        Self {
            future,
            undecided,
            redirects,
            context,
        }
    }
}

impl<S> Future for PropagateFuture<S>
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError>,
{
    type Output = Result<ConnectResponse, SendRequestError>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let place = ptr::from_ref(&*self).addr();
        let mut this = self.project();
        if let Some(call) = this.undecided.take() {
            if call.redirect.place == place {
                *this.context = call.redirect.context;
            }
            let context = this.context.clone();
            let future = send(&*call.service, &call.targets, context, call.request);
            this.future.set(Some(future));
        }
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let result = ready!(future.poll(cx));
        if let Ok(ConnectResponse::Client(response)) = &result
            && response.status().is_redirection()
        {
            let context = this.context.take();
            this.redirects.0.set(Some(Redirect { context, place }));
        }
        Poll::Ready(result)
    }
}

impl<S: Service<ConnectRequest>> fmt::Debug for PropagateFuture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PropagateFuture").finish_non_exhaustive()
    }
}
