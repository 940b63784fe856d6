use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::ready;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use correlation_core::http::{ResponseHeaders, receive};
use correlation_core::{Access, Context, Policy, Rejected, Scoped, TaskContext, sync_scope};
use futures_util::stream::{StreamExt, poll_fn};
use http_body_util::BodyDataStream;
use hyper::body::Body as _;
use warp::filters::log::Info;
use warp::http::{HeaderValue, StatusCode};
use warp::reject::{Reject, Rejection};
use warp::reply::{Reply, Response};
use warp::{Filter, reject};

/// Gives every request of these routes its correlation ID, on any server that runs warp filters.
///
/// A function for [`warp::wrap_fn`], or to be called. Wrap all routes at once, and
/// [recover](Filter::recover) them before: what nobody recovers is answered by warp outside of
/// any filter, without the header.
///
/// ```
/// use correlation_warp::{correlated, correlation};
/// use warp::Filter;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let routes = warp::any()
///     .map(|| correlation::current().unwrap().to_string())
///     .with(warp::wrap_fn(correlated));
///
/// let reply = warp::test::request().header("X-Request-ID", "click-1").reply(&routes).await;
/// assert_eq!(reply.headers()["x-correlation-id"], "click-1");
/// assert_eq!(reply.body(), "click-1");
/// # }
/// ```
pub fn correlated<F, R>(
    routes: F,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static
where
    F: Filter<Extract = (R,), Error: Into<Rejection>> + Send + Sync + 'static,
    R: Reply + 'static,
{
    correlated_with(Policy::new(), routes)
}

/// As [`correlated`], with these rules for inbound requests.
///
/// All but [`Policy::rewrite_request`]: a filter cannot change the request.
///
/// ```
/// use correlation_warp::{Policy, Trust, correlated_with};
/// use warp::Filter;
///
/// let policy = Policy::new().trust(Trust::Never);
/// let routes = correlated_with(policy, warp::any().map(warp::reply));
/// # let _ = warp::serve(routes);
/// ```
pub fn correlated_with<F, R>(
    policy: Policy,
    routes: F,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static
where
    F: Filter<Extract = (R,), Error: Into<Rejection>> + Send + Sync + 'static,
    R: Reply + 'static,
{
    let headers = ResponseHeaders::new(&policy);
    let on_reply = headers.clone();
    // Boxed, so that routes which cannot fail and routes which can are of one type: the bound that
    // `and` would need has no name outside of warp. It is no slower, as `and` clones its argument
    // for every request.
    begin(Arc::new(policy))
        .and(routes.boxed())
        .map(move |request: Request, reply: R| request.answer(&on_reply, reply))
        .recover(move |rejection: Rejection| ready(refuse(&headers, rejection)))
        .unify()
}

/// Extracts the request, or rejects it with [`Refused`].
fn begin(
    policy: Arc<Policy>,
) -> impl Filter<Extract = (Request,), Error = Rejection> + Clone + Send + Sync + 'static {
    thread_local! {
        static BEGUN: Cell<Option<Result<Request, Refused>>> = const { Cell::new(None) };
    }
    // A logger is the one thing that warp shows a request to without a copy of its headers. What
    // it made is taken by the next filter, which runs at once.
    warp::any()
        .map(warp::reply)
        .with(warp::log::custom(move |info| {
            BEGUN.set(Some(Request::begin(&policy, &info)));
        }))
        .and_then(|_| {
            ready(match BEGUN.take() {
                Some(begun) => begun.map_err(reject::custom),
                None => Err(reject::not_found()),
            })
        })
}

/// Answers what [`begin`] rejected, and leaves other rejections to the filters around.
fn refuse(headers: &ResponseHeaders, rejection: Rejection) -> Result<Response, Rejection> {
    let Some(Refused(id)) = rejection.find() else {
        return Err(rejection);
    };
    let mut response = StatusCode::BAD_REQUEST.into_response();
    headers.set(id.clone(), response.headers_mut());
    Ok(response)
}

/// The policy wants this request to be answered with 400 and this ID.
#[derive(Debug)]
struct Refused(HeaderValue);

impl Reject for Refused {}

/// A request on its way through the routes.
struct Request {
    context: Context,
    id: HeaderValue,
    /// None if an outer [`correlated`] has it already.
    outermost: Option<Outermost>,
    access: Access,
}

impl Request {
    fn begin(policy: &Policy, info: &Info<'_>) -> Result<Self, Refused> {
        let headers = info.request_headers();
        let address = ptr::from_ref(headers).addr();
        let outer = in_flight().get(&address).cloned();
        if let Some(context) = outer {
            return Ok(Self {
                id: context.id().into(),
                context,
                outermost: None,
                access: Access::default(),
            });
        }
        let peer = info.remote_addr().map(|addr| addr.ip());
        let (received, id) = receive(policy, headers, peer);
        let (method, path) = (info.method().as_str(), info.path());
        let context = match received {
            Ok(context) => context,
            Err(rejected) => {
                let mut access = policy.begin_access(rejected.context(), method, path);
                access.status(Rejected::STATUS);
                access.complete();
                return Err(Refused(id));
            }
        };
        in_flight().insert(address, context.clone());
        let outermost = Outermost {
            address,
            _task: TaskContext::enter(context.clone()),
        };
        let access = policy.begin_access(&context, method, path);
        Ok(Self {
            context,
            id,
            outermost: Some(outermost),
            access,
        })
    }

    fn answer(mut self, headers: &ResponseHeaders, reply: impl Reply) -> Response {
        let mut response = sync_scope(self.context.clone(), || reply.into_response());
        headers.set(self.id, response.headers_mut());
        // A body whose size is known is there already: no code runs when it is sent.
        let sized = response.body().size_hint().exact().is_some();
        self.access.status(response.status().as_u16());
        if sized || self.outermost.is_none() {
            self.access.complete();
            return response;
        }
        let (head, body) = response.into_parts();
        let mut access = self.access;
        let end = poll_fn(move |_| {
            access.complete();
            Poll::Ready(None)
        });
        let chunks = Scoped::in_context(self.context, BodyDataStream::new(body).chain(end));
        let body = warp::reply::stream(chunks).into_response().into_body();
        Response::from_parts(head, body)
    }
}

/// Ties the context to the task, and to the request itself.
struct Outermost {
    address: usize,
    _task: TaskContext,
}

impl Drop for Outermost {
    fn drop(&mut self) {
        in_flight().remove(&self.address);
    }
}

/// The requests in flight, by where their headers lie: a filter can leave nothing in the request
/// itself for an inner one to find. Headers and [`Outermost`] are parts of one pinned future, so
/// no other request can have the same address before this one is removed.
fn in_flight() -> MutexGuard<'static, BTreeMap<usize, Context>> {
    static IN_FLIGHT: Mutex<BTreeMap<usize, Context>> = Mutex::new(BTreeMap::new());

    IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner)
}
