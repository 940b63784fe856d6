use std::mem;

use correlation_core::adapter::{Destination, needs_destination};

use correlation_core::{Context, Targets};
use ureq::http::{Extensions, Request, Response};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Body, Error, RequestExt, SendBody};

/// The middleware that [`Propagate`](crate::Propagate) adds to an agent:
/// `Agent::config_builder().middleware(Propagator::new(targets))`.
///
/// The ID is the one that is ambient on the thread at the time of the call.
///
/// ureq follows redirects inside its middleware, and sends all headers except credentials. So no
/// middleware can remove one on the way. If you name targets, a request to one of them follows no
/// redirects, with an ID or without, and the redirect is the answer. The `max_redirects` of the agent and of the request
/// do not change that. Requests to other hosts carry no ID and follow redirects as usual.
#[derive(Clone, Debug, Default)]
pub struct Propagator {
    targets: Targets,
}

impl Propagator {
    /// Makes a middleware that sends the ID to these hosts.
    #[must_use]
    pub const fn new(targets: Targets) -> Self {
        Self { targets }
    }
}

impl Middleware for Propagator {
    fn handle(
        &self,
        mut request: Request<SendBody<'_>>,
        next: MiddlewareNext<'_>,
    ) -> Result<Response<Body>, Error> {
        let uri = needs_destination(&self.targets).then(|| request.uri().clone());
        let destination = uri.as_ref().map_or_else(Destination::default, Into::into);
        let stays =
            uri.is_none() || self.targets.allows(destination) && stay(request.extensions_mut());
        if stays && let Some(context) = Context::current() {
            self.targets
                .inject(&context, destination, request.headers_mut());
        }
        next.handle(request)
    }
}

/// Stops ureq from following redirects of the request with these extensions. The extensions hold
/// the settings of the request. Returns `false` if that is not possible.
fn stay(extensions: &mut Extensions) -> bool {
    // This works on a copy, because access to the settings consumes the whole request. It may fail
    // if another middleware has made a new request.
    let mut request = Request::new(());
    request.extensions_mut().clone_from(extensions);
    let Some(config) = request.middleware_config() else {
        return false;
    };
    let mut request = config.max_redirects(0).build();
    *extensions = mem::take(request.extensions_mut());
    true
}
