use std::cell::Cell;
use std::future::{Ready, ready};
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCESS_CONTROL_EXPOSE_HEADERS as EXPOSE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use actix_web::{Error, HttpRequest, HttpResponse};
use correlation_core::adapter::{self, AccessRecord, Expose, Peer, Rejected};
use correlation_core::{Context, Policy, Scoped, scope, sync_scope};
use pin_project_lite::pin_project;

use crate::CorrelatedBody;

/// The middleware that gives every request its correlation ID.
///
/// The ID is ambient from this middleware to the last byte of the response body. The response
/// header carries it too.
///
/// ```
/// use actix_web::App;
/// use correlation_actix::correlation::{Policy, Trust};
/// use correlation_actix::Correlation;
///
/// let public = Policy::new().trust(Trust::never());
/// let app = App::new()
///     // .service(..), other middleware
///     .wrap(Correlation::new().policy(public)); // last, so that it is the outermost
/// ```
#[derive(Clone, Debug, Default)]
pub struct Correlation {
    policy: Policy,
}

impl Correlation {
    /// Makes the middleware with the default [`Policy`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the rules for inbound requests.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for Correlation
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<CorrelatedBody<B>>;
    type Error = Error;
    type Transform = CorrelationMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        // This runs once in each worker. Each worker gets a separate copy, so that they do not
        // count their requests on one shared reference counter.
        let rules = Rc::new(Rules::new(self.policy.clone()));
        ready(Ok(CorrelationMiddleware { service, rules }))
    }
}

/// The service that [`Correlation`] wraps around the app.
#[derive(Debug)]
pub struct CorrelationMiddleware<S> {
    service: S,
    rules: Rc<Rules>,
}

impl<S, B> Service<ServiceRequest> for CorrelationMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<CorrelatedBody<B>>;
    type Error = Error;
    type Future = Scoped<ResponseFuture<S::Future>>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let rules = Rc::clone(&self.rules);
        // A request without an address came over a Unix socket or from a test.
        let peer = request
            .peer_addr()
            .map_or(Peer::Local, |addr| addr.ip().into());
        let (decision, line) = adapter::receive(&rules.policy, || request.headers(), peer);
        let context = decision.context();
        let id = header_value(context, line);
        let (method, path) = (request.method().as_str(), request.path());
        let mut access = AccessRecord::begin(&rules.policy, context, method, path, peer);
        let state = if let Some(rejected) = decision.rejected() {
            let request = request.into_parts().0;
            State::Rejected {
                rejected: ready((request, rejected.as_str())),
            }
        } else {
            if let (Some(name), Some(id)) = (&rules.request_header, &id) {
                request.headers_mut().insert(name.clone(), id.clone());
            }
            // Middleware may do work before its first `await`.
            let call = || sync_scope(context.clone(), || self.service.call(request));
            let inner = access.run(call);
            State::Inner { inner }
        };
        let future = ResponseFuture {
            state,
            id,
            rules,
            access,
        };
        scope(decision.into_context(), future)
    }
}

pin_project! {
    /// The future of [`CorrelationMiddleware`]. It runs in the scope of its request.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        id: Option<HeaderValue>,
        rules: Rc<Rules>,
        access: AccessRecord,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F> {
        Inner { #[pin] inner: F },
        Rejected { #[pin] rejected: Ready<(HttpRequest, &'static str)> },
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<CorrelatedBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answered = AccessRecord::default();
        let mut result = match this.state.project() {
            StateProj::Inner { inner } => {
                let result = ready!(this.access.run(|| inner.poll(cx)));
                let mut access = mem::take(this.access);
                match result {
                    Ok(response) => {
                        if access.is_open()
                            && let Some(route) = response.request().match_pattern()
                        {
                            access.route(route);
                        }
                        access.status(response.status().as_u16());
                        Ok(response.map_body(|_, body| CorrelatedBody::new(access, body)))
                    }
                    Err(error) => {
                        answered = access;
                        Err(error)
                    }
                }
            }
            StateProj::Rejected { rejected } => {
                let (request, text) = ready!(rejected.poll(cx));
                this.access.status(Rejected::STATUS);
                this.access.sent(text.len() as u64);
                this.access.complete();
                let body = CorrelatedBody::complete(text);
                let mut response = HttpResponse::with_body(StatusCode::BAD_REQUEST, body);
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, TEXT);
                Ok(ServiceResponse::new(request, response))
            }
        };
        let id = this.id.take();
        match &mut result {
            Ok(response) => this.rules.answer(id, response.headers_mut()),
            // A handler's error is already a response here. This error comes from a middleware, and
            // code further outside turns it into a response.
            Err(error) => {
                let rules = Rc::clone(this.rules);
                let status = error.as_response_error().status_code().as_u16();
                let unanswered = Unanswered {
                    access: Cell::new(answered),
                    status,
                };
                error.add_response_mapper(move |mut response| {
                    unanswered.complete(response.status().as_u16());
                    rules.answer(id.clone(), response.headers_mut());
                    response
                });
            }
        }
        Poll::Ready(result)
    }
}

/// The access record of a request whose answer is made from an error, outside this middleware.
struct Unanswered {
    access: Cell<AccessRecord>,
    /// Counts if other code answers than the error itself.
    status: u16,
}

impl Unanswered {
    fn complete(&self, status: u16) {
        let mut access = self.access.take();
        access.status(status);
        access.complete();
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.complete(self.status);
    }
}

/// The policy, with its header names in the form that actix-web needs for each request.
#[derive(Debug)]
struct Rules {
    policy: Policy,
    request_header: Option<HeaderName>,
    response_header: Option<HeaderName>,
}

impl Rules {
    fn new(policy: Policy) -> Self {
        Self {
            request_header: adapter::request_header(&policy).map(HeaderName::from_static),
            response_header: adapter::response_header(&policy).map(HeaderName::from_static),
            policy,
        }
    }

    /// Sets the ID in a response exactly once, and replaces what is there.
    fn answer(&self, id: Option<HeaderValue>, headers: &mut HeaderMap) {
        let (Some(name), Some(id)) = (&self.response_header, id) else {
            return;
        };
        headers.insert(name.clone(), id);
        let present = || headers.get_all(EXPOSE).map(HeaderValue::as_bytes);
        match adapter::expose(&self.policy, present) {
            Some(Expose::Set(all)) => {
                if let Ok(all) = HeaderValue::try_from(all) {
                    headers.insert(EXPOSE, all);
                }
            }
            Some(Expose::Add(line)) => headers.append(EXPOSE, HeaderValue::from_static(line)),
            None => {}
        }
    }
}

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Returns the ID as a header value. Every ID is a valid one. Usually a header of the request
/// already has that value, and the value is shared instead of allocated again.
fn header_value(context: &Context, line: Option<&HeaderValue>) -> Option<HeaderValue> {
    let id = context.id().as_str();
    let shared = line.filter(|line| *line == id).cloned();
    shared.or_else(|| HeaderValue::from_str(id).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_name_of_a_policy_is_one_of_actix_web() {
        for name in ["!#$%&'*+-.^_`|~0123456789aZ", &"x".repeat(255)] {
            let policy = Policy::new().headers([name]).response_header(name);
            let rules = Rules::new(policy.rewrite_request(true));
            assert_eq!(rules.request_header, rules.response_header);
            assert_eq!(rules.response_header.unwrap(), *name.to_ascii_lowercase());
        }
    }
}
