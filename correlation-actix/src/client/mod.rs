mod redirect;
mod write;

use std::rc::Rc;

use actix_web::dev::{Service, forward_ready};
use actix_web::http::Uri;
use awc::error::SendRequestError;
use awc::middleware::Transform;
use awc::{ConnectRequest, ConnectResponse};
use correlation_core::{Context, Targets};

pub use redirect::PropagateFuture;
use redirect::Redirects;

/// Sends the ambient ID with every request of an `awc` client, WebSockets included.
///
/// What is sent is `x-correlation-id`, and `traceparent` and `tracestate` as the policy says;
/// never over what the caller has set.
///
/// The ID is the one that is ambient when `send` or `connect` is called, on every hop that a
/// redirect makes of it. Each hop is checked against the targets.
///
/// ```
/// use correlation_actix::{Propagate, Targets};
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
    /// To all hosts.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            targets: Targets::all(),
        }
    }

    /// To these hosts only.
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
            service,
            targets: self.targets,
            redirects: Rc::default(),
        }
    }
}

/// A client that sends the ambient ID: made by [`Propagate`].
#[derive(Debug)]
pub struct PropagateMiddleware<S> {
    service: S,
    targets: Targets,
    redirects: Rc<Redirects>,
}

impl<S> Service<ConnectRequest> for PropagateMiddleware<S>
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError>,
{
    type Response = ConnectResponse;
    type Error = SendRequestError;
    type Future = PropagateFuture<S::Future>;

    forward_ready!(service);

    fn call(&self, mut request: ConnectRequest) -> Self::Future {
        let uri = uri(&request).clone();
        let context = match self.redirects.take(&uri) {
            Some(call) => call,
            None => Context::current(),
        };
        if let Some(context) = &context
            && let Some(host) = uri.host()
            && self.targets.allow(uri.scheme_str(), host, uri.port_u16())
        {
            write::write(context, &self.targets, &mut request);
        }
        let future = self.service.call(request);
        PropagateFuture::new(future, self.redirects.clone(), context, uri)
    }
}

fn uri(request: &ConnectRequest) -> &Uri {
    match request {
        ConnectRequest::Client(head, ..) => &head.as_ref().uri,
        ConnectRequest::Tunnel(head, _) => &head.uri,
    }
}
