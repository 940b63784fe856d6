use std::task::{Context as TaskContext, Poll};

use correlation_core::adapter::Destination;

use correlation_core::{Context, Targets};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// Sends the ambient ID with every request of a tower client of `http` requests, such as those of
/// hyper-util and tonic.
///
/// What is sent is `x-correlation-id`, and `traceparent` and `tracestate` as the policy says. They
/// are sent in place of what the request has already, as
/// [`inject`](correlation_core::inject) says: a gateway that copies headers does not send its
/// caller's ID on. To send another ID with one call, make it in a
/// [`scope`](correlation_core::scope) of its own; to send none, in
/// [`detached`](correlation_core::detached).
///
/// The ID is read when the service that this layer makes is called. So put the layer
///
/// - **outside** of whatever hands requests to another task, such as `tower::buffer` and tonic's
///   `Channel`: there is no ID in there;
/// - **inside** of a layer that follows redirects: each hop is checked against the targets then.
///   Outside of it the first hop alone is checked, and the ID goes wherever the server says.
///
/// Layers that call again, for a redirect or to retry, do so when their future is polled. It has to
/// be polled in the scope of the call: what is spawned needs `correlation::spawn` or `in_current`.
#[derive(Clone, Debug, Default)]
pub struct PropagateLayer {
    targets: Targets,
}

impl PropagateLayer {
    /// To all hosts.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            targets: Targets::all(),
        }
    }

    /// To these hosts only.
    ///
    /// A tonic `Channel`, and hyper's clients of one connection, take requests whose URI has no
    /// host. Such a request gets no ID unless you say where the connection goes:
    ///
    /// ```
    /// use correlation_tower::correlation::Targets;
    /// use correlation_tower::PropagateLayer;
    ///
    /// let targets = Targets::hosts([".internal"]);
    /// // around the channel to this host, and to no other
    /// let layer = PropagateLayer::new().targets(targets.connected_to("orders.internal"));
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn targets(mut self, targets: Targets) -> Self {
        self.targets = targets;
        self
    }
}

impl<S> Layer<S> for PropagateLayer {
    type Service = PropagateService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        PropagateService {
            inner,
            targets: self.targets.clone(),
        }
    }
}

/// A client that sends the ambient ID: made by [`PropagateLayer`].
#[derive(Clone, Debug)]
pub struct PropagateService<S> {
    inner: S,
    targets: Targets,
}

impl<S, B> Service<Request<B>> for PropagateService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(context) = Context::current() {
            // Only a restriction looks at it.
            let uri = self.targets.are_restricted().then(|| request.uri().clone());
            let destination = uri.as_ref().map_or_else(Destination::default, Into::into);
            self.targets
                .inject(&context, destination, request.headers_mut());
        }
        self.inner.call(request)
    }
}
