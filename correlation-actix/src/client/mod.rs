mod headers;
mod redirect;

use std::rc::Rc;

use actix_web::dev::{Service, forward_ready};
use actix_web::http::Uri;
use awc::error::SendRequestError;
use awc::middleware::Transform;
use awc::{ConnectRequest, ConnectResponse};
use correlation_core::adapter::{Destination, needs_destination};
use correlation_core::{Context, Targets};

use headers::Headers;
pub use redirect::PropagateFuture;
use redirect::{Redirects, Undecided};

/// Sends the ambient ID with every request of an `awc` client, WebSockets included.
///
/// The middleware sends `x-correlation-id`. It also sends `traceparent` and `tracestate`, as the
/// policy's [`TraceContext`](correlation_core::TraceContext) says. They replace the ones that the
/// call has set or copied, by the rules of [`inject`](correlation_core::inject). So a gateway that
/// copies headers does not forward its caller's ID. A `traceparent` that a tracer has set stays. To
/// send a different ID with one call, make the call in a separate
/// [`scope`](correlation_core::scope). To send none, make it in
/// [`detached`](correlation_core::detached).
///
/// The ID is the one that is ambient when you call `send` or `connect`. Each hop of a redirect
/// sends the same ID and is checked against the targets. For the same ID, this middleware's future
/// has to exist until `awc` follows the redirect. So a middleware outside of this one must not wrap
/// that future in an `async` block or a box of its own, which ends before. Such a middleware goes
/// inside: add it with `wrap` before `Propagate`.
///
/// ```
/// use correlation_actix::correlation::Targets;
/// use correlation_actix::Propagate;
///
/// let client = awc::Client::builder()
///     .wrap(Propagate::new().targets(Targets::hosts([".internal", "localhost:8080"])))
///     .finish();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Propagate {
    targets: Targets,
}

impl Propagate {
    /// Makes a middleware that sends the ID to all hosts.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            targets: Targets::all(),
        }
    }

    /// Limits the middleware to these hosts.
    #[must_use]
    pub fn targets(mut self, targets: Targets) -> Self {
        self.targets = targets;
        self
    }
}

impl<S> Transform<S, ConnectRequest> for Propagate
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError>,
{
    type Transform = PropagateMiddleware<S>;

    fn new_transform(self, service: S) -> Self::Transform {
        PropagateMiddleware {
            service: Rc::new(service),
            targets: self.targets,
            redirects: Rc::default(),
        }
    }
}

/// A client that sends the ambient ID. [`Propagate`] makes it.
#[derive(Debug)]
pub struct PropagateMiddleware<S> {
    service: Rc<S>,
    targets: Targets,
    redirects: Rc<Redirects>,
}

impl<S> Service<ConnectRequest> for PropagateMiddleware<S>
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError>,
{
    type Response = ConnectResponse;
    type Error = SendRequestError;
    type Future = PropagateFuture<S>;

    forward_ready!(service);

    fn call(&self, request: ConnectRequest) -> Self::Future {
        let context = Context::current();
        let (future, undecided) = match self.redirects.take() {
            None => {
                let context = context.clone();
                let future = send(&*self.service, &self.targets, context, request);
                (Some(future), None)
            }
            Some(redirect) => {
                let undecided = Undecided {
                    service: self.service.clone(),
                    targets: self.targets.clone(),
                    request,
                    redirect,
                };
                (None, Some(Box::new(undecided)))
            }
        };
        PropagateFuture::new(future, undecided, self.redirects.clone(), context)
    }
}

fn send<S: Service<ConnectRequest>>(
    service: &S,
    targets: &Targets,
    context: Option<Context>,
    mut request: ConnectRequest,
) -> S::Future {
    if let Some(context) = context {
        let uri = needs_destination(targets).then(|| uri(&request).clone());
        let destination = uri
            .as_ref()
            .map_or_else(Destination::default, |uri| Destination {
                scheme: uri.scheme_str(),
                host: uri.host(),
                port: uri.port_u16(),
            });
        targets.inject(&context, destination, &mut Headers(&mut request));
    }
    service.call(request)
}

fn uri(request: &ConnectRequest) -> &Uri {
    match request {
        ConnectRequest::Client(head, ..) => &head.as_ref().uri,
        ConnectRequest::Tunnel(head, _) => &head.uri,
    }
}
