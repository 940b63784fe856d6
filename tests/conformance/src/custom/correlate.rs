//! The whole of what the correlation ID needs from a server.

use std::net::IpAddr;

use correlation_core::adapter::{
    self,
    http::{ResponseHeaders, receive},
};
use correlation_core::{Policy, scope};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::{Body as _, Incoming};
use hyper::{Request, Response};

use super::app::{self, Body};

/// The inbound rules, made once.
pub(crate) struct Correlation {
    policy: Policy,
    response_headers: ResponseHeaders,
}

impl Correlation {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            response_headers: ResponseHeaders::new(&policy),
            policy,
        }
    }

    /// Runs the handler of a request so that everything it does has the ID.
    pub(crate) async fn run<F>(
        &self,
        peer: IpAddr,
        mut request: Request<Incoming>,
        handler: impl FnOnce(Request<Incoming>) -> F,
    ) -> Response<Body>
    where
        F: Future<Output = Response<Body>>,
    {
        // 1. The ID: from the caller, if the policy allows it, or a new one.
        let (decision, id) = receive(&self.policy, request.headers(), peer);
        let context = decision.context().clone();

        let response = match decision.rejected() {
            // 2. The scope. An `async` block, so that the handler is called in it as well.
            None => {
                request.extensions_mut().insert(context.clone());
                scope(context.clone(), async { handler(request).await }).await
            }
            // Only with `reject_missing(true)` or `reject_invalid(true)`.
            Some(rejected) => app::text(400, rejected.to_string()),
        };

        // 3. The ID in the response, whatever it is.
        let (mut head, body) = response.into_parts();
        self.response_headers.set(id, &mut head.headers);

        // 4. A body that is still to be produced does that when this function is long over: it
        //    gets a scope of its own. One whose size is known is there already.
        let body = match body.size_hint().exact() {
            Some(_) => body,
            None => StreamBody::new(adapter::scoped(context, BodyStream::new(body))).boxed_unsync(),
        };
        Response::from_parts(head, body)
    }
}
