use std::task::{Context as TaskContext, Poll};

use correlation_core::{Targets, inject};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// Sends the ambient ID with every request of a tower client: hyper-util, tonic, reqwest as a
/// service.
///
/// `x-correlation-id` is set, and `traceparent` and `tracestate` when a trace context is
/// forwarded; never over what the caller has set.
///
/// The ID is read when the client is called. So keep this layer outside of whatever hands
/// requests to another task, such as `tower::buffer` and tonic's `Channel`, and inside of a layer
/// that follows redirects, so that each hop is checked against the targets.
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

    /// To these hosts only. A request whose URI has no host counts as allowed: a connection of
    /// its own was made for it.
    #[must_use]
    pub fn targets(mut self, targets: Targets) -> Self {
        self.targets = targets;
        self
    }
}

impl<S> Layer<S> for PropagateLayer {
    type Service = Propagate<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Propagate {
            inner,
            targets: self.targets.clone(),
        }
    }
}

/// A client that sends the ambient ID: made by [`PropagateLayer`].
#[derive(Clone, Debug)]
pub struct Propagate<S> {
    inner: S,
    targets: Targets,
}

impl<S, B> Service<Request<B>> for Propagate<S>
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
        if self.targets.allow_uri(request.uri()) {
            inject(request.headers_mut());
        }
        self.inner.call(request)
    }
}
