use std::mem;

use correlation_core::adapter::Destination;

use correlation_core::{Context, Targets};
use ureq::http::{Extensions, Request, Response};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Body, Error, RequestExt, SendBody};

/// What [`Propagate`](crate::Propagate) adds to an agent:
/// `Agent::config_builder().middleware(Propagator::new(targets))`.
///
/// The ID is the one that is ambient on the thread at the time of the call.
///
/// ureq follows redirects inside of its middleware and with all headers but credentials, so no
/// middleware can take one back on the way. If targets are named, a request to one of them is
/// therefore sent without following: its redirect is the answer, whatever `max_redirects` says on
/// the agent or the request. Requests to other hosts carry nothing and follow redirects as ever.
#[derive(Clone, Debug, Default)]
pub struct Propagator {
    targets: Targets,
}

impl Propagator {
    /// For these hosts.
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
        let Some(context) = Context::current() else {
            return next.handle(request);
        };
        let uri = self.targets.are_restricted().then(|| request.uri().clone());
        let destination = uri.as_ref().map_or_else(Destination::default, Into::into);
        let stays =
            uri.is_none() || self.targets.allows(destination) && stay(request.extensions_mut());
        if stays {
            self.targets
                .inject(&context, destination, request.headers_mut());
        }
        next.handle(request)
    }
}

/// Lets ureq follow no redirect of the request with these extensions, in which the settings of a
/// request are. `false` if that is not possible.
fn stay(extensions: &mut Extensions) -> bool {
    // On a copy, since the way to the settings takes the whole request, and may lead nowhere if
    // another middleware made a request of its own.
    let mut request = Request::new(());
    request.extensions_mut().clone_from(extensions);
    let Some(config) = request.middleware_config() else {
        return false;
    };
    let mut request = config.max_redirects(0).build();
    *extensions = mem::take(request.extensions_mut());
    true
}
