use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpRequest, HttpResponse};
use correlation_core::{Context, Policy, Scoped, Source, scope, sync_scope};
use pin_project_lite::pin_project;

use crate::CorrelatedBody;

/// The middleware: gives every request its correlation ID, as the ambient one from here to the
/// last byte of the response body, and in the response header.
///
/// ```
/// use actix_web::App;
/// use correlation_actix::{Correlation, Policy, Trust};
///
/// let public = Policy::new().trust(Trust::Never);
/// let app = App::new()
///     // .service(..), other middleware
///     .wrap(Correlation::new().policy(public)); // last, so that it is the outermost
/// ```
#[derive(Clone, Debug, Default)]
pub struct Correlation {
    policy: Policy,
}

impl Correlation {
    /// The middleware with the default [`Policy`].
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
        // Runs once in each worker. A copy of its own, so that the workers do not count their
        // requests on one shared reference counter.
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
        let (context, state) = match self.rules.receive(&request) {
            Ok(context) => {
                self.rules.rewrite(&context, &mut request);
                // Middleware may work before its first await, and its future may be dropped
                // without having been polled.
                let inner = sync_scope(context.clone(), || self.service.call(request));
                (context, State::Inner { inner })
            }
            Err(context) => {
                let (request, _) = request.into_parts();
                let request = ready(request);
                (context, State::Rejected { request })
            }
        };
        let future = ResponseFuture {
            state,
            context: context.clone(),
            rules: Rc::clone(&self.rules),
        };
        scope(context, future)
    }
}

pin_project! {
    /// The future of [`CorrelationMiddleware`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        context: Context,
        rules: Rc<Rules>,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F> {
        Inner { #[pin] inner: F },
        Rejected { #[pin] request: Ready<HttpRequest> },
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
        let context = &*this.context;
        let result = match this.state.project() {
            StateProj::Inner { inner } => ready!(inner.poll(cx))
                .map(|response| response.map_body(|_, body| CorrelatedBody::new(context, body))),
            StateProj::Rejected { request } => {
                let bad_request = StatusCode::BAD_REQUEST;
                let response = HttpResponse::with_body(bad_request, CorrelatedBody::empty());
                Ok(ServiceResponse::new(ready!(request.poll(cx)), response))
            }
        };
        Poll::Ready(match result {
            Ok(mut response) => {
                let id = header_value(context, Some(response.request().headers()));
                this.rules.answer(id, response.headers_mut());
                Ok(response)
            }
            // A handler's error is a response by now. This one is of a middleware, and becomes a
            // response somewhere outside.
            Err(mut error) => {
                let (context, rules) = (context.clone(), Rc::clone(this.rules));
                error.add_response_mapper(move |mut response| {
                    rules.answer(header_value(&context, None), response.headers_mut());
                    response.map_body(|_, body| CorrelatedBody::new(&context, body).boxed())
                });
                Err(error)
            }
        })
    }
}

/// The policy, with the names of its headers in the form that actix-web needs for each request.
#[derive(Debug)]
struct Rules {
    policy: Policy,
    request_header: Option<HeaderName>,
    response_header: Option<HeaderName>,
}

impl Rules {
    fn new(policy: Policy) -> Self {
        Self {
            request_header: policy.request_header_name().map(HeaderName::from_static),
            response_header: policy.response_header_name().map(HeaderName::from_static),
            policy,
        }
    }

    /// The context of a request; as an error if the request is to be rejected.
    fn receive(&self, request: &ServiceRequest) -> Result<Context, Context> {
        let lines = || {
            let lines = request.headers().iter();
            lines.map(|(name, value)| (name.as_str(), value.as_bytes()))
        };
        let peer = request.peer_addr().map(|addr| addr.ip());
        self.policy
            .receive(lines, peer)
            .map_err(|rejected| rejected.context().clone())
    }

    fn rewrite(&self, context: &Context, request: &mut ServiceRequest) {
        if let Some(name) = &self.request_header
            && let Some(id) = header_value(context, Some(request.headers()))
        {
            request.headers_mut().insert(name.clone(), id);
        }
    }

    /// Sets the ID in a response: once, over whatever is there.
    fn answer(&self, id: Option<HeaderValue>, headers: &mut HeaderMap) {
        let (Some(name), Some(id)) = (&self.response_header, id) else {
            return;
        };
        headers.insert(name.clone(), id);
        let present = headers.get_all(ACCESS_CONTROL_EXPOSE_HEADERS);
        let present = present.filter_map(|line| line.to_str().ok());
        if let Some(Ok(exposed)) = self
            .policy
            .exposed_headers(present)
            .map(HeaderValue::try_from)
        {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

/// The ID as a header value, which it always can be. Mostly the request has that value already:
/// then it is shared instead of allocated again.
fn header_value(context: &Context, request: Option<&HeaderMap>) -> Option<HeaderValue> {
    let id = context.id().as_str();
    let mut lines = request
        .filter(|_| context.source() != Source::Generated)
        .into_iter()
        .flat_map(HeaderMap::iter);
    match lines.find(|(_, value)| value.as_bytes() == id.as_bytes()) {
        Some((_, value)) => Some(value.clone()),
        None => HeaderValue::from_str(id).ok(),
    }
}
