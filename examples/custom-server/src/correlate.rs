//! The whole of what the correlation ID needs from a server.

use std::net::IpAddr;

use correlation_core::http::{ResponseHeaders, receive};
use correlation_core::{Policy, Scoped, scope};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::{Body as _, Incoming};
use hyper::{Request, Response, StatusCode};

use crate::body::{self, Body};

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
        let (received, id) = receive(&self.policy, request.headers(), Some(peer));

        let (context, response) = match received {
            // 2. The scope. An `async` block, so that the handler is called in it as well.
            Ok(context) => {
                request.extensions_mut().insert(context.clone());
                let response = scope(context.clone(), async { handler(request).await });
                (context, response.await)
            }
            // Only with `on_missing(Reject)` or `on_invalid(Reject)`.
            Err(rejected) => {
                let response = body::text(StatusCode::BAD_REQUEST, rejected.to_string());
                (rejected.context().clone(), response)
            }
        };

        // 3. The ID in the response, whatever it is.
        let (mut head, body) = response.into_parts();
        self.response_headers.set(id, &mut head.headers);

        // 4. A body that is still to be produced does that when this function is long over: it
        //    gets a scope of its own. One whose size is known is there already.
        let body = match body.size_hint().exact() {
            Some(_) => body,
            None => {
                StreamBody::new(Scoped::in_context(context, BodyStream::new(body))).boxed_unsync()
            }
        };
        Response::from_parts(head, body)
    }
}
