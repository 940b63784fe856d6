use std::task::{Context as TaskContext, Poll};

use correlation_core::adapter::{Destination, needs_destination};

use correlation_core::{Context, Targets};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// Sends the ambient ID with every request of a tower client.
///
/// The client is any service of `http` requests, such as those of hyper-util and tonic.
///
/// The layer sends `x-correlation-id`. It also sends `traceparent` and `tracestate`, as the
/// policy's [`TraceContext`](correlation_core::TraceContext) says. They replace the ones that the
/// request already has, by the rules of [`inject`](correlation_core::inject). So a gateway that
/// copies headers does not forward its caller's ID. A `traceparent` that a tracer has set stays. To
/// send a different ID with one call, make the call in a separate
/// [`scope`](correlation_core::scope). To send none, make it in
/// [`detached`](correlation_core::detached).
///
/// The ID is read when the service that this layer makes is called. So put the layer
///
/// - **outside** anything that hands requests to another task, such as `tower::buffer` and tonic's
///   `Channel`. That task has no ID.
/// - **inside** a layer that follows redirects. Then each hop is checked against the targets. If
///   the layer is outside, only the first hop is checked, and the ID follows every redirect.
///
/// Layers that follow a redirect or retry call the service again when their future is polled. Poll
/// that future in the scope of the call. If you spawn it, use `correlation::spawn` or
/// [`in_current`](correlation_core::InCurrent::in_current).
#[derive(Clone, Debug, Default)]
pub struct PropagateLayer {
    targets: Targets,
}

impl PropagateLayer {
    /// Makes a layer that sends the ID to all hosts.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            targets: Targets::all(),
        }
    }

    /// Limits the layer to these hosts.
    ///
    /// A tonic `Channel`, and hyper's clients for a single connection, take requests whose URI has
    /// no host. Such a request gets no ID unless you say where the connection goes:
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

/// A client that sends the ambient ID. [`PropagateLayer`] makes it.
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
            // The URI is needed only if the targets are restricted.
            let uri = needs_destination(&self.targets).then(|| request.uri().clone());
            let destination = uri.as_ref().map_or_else(Destination::default, Into::into);
            self.targets
                .inject(&context, destination, request.headers_mut());
        }
        self.inner.call(request)
    }
}
