use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::{mem, ptr, thread};

use correlation_core::adapter::Rejected;
use correlation_core::adapter::{
    self, AccessRecord, TaskContext,
    http::{ResponseHeaders, receive},
};
use correlation_core::{Context, Policy, sync_scope};
use futures_util::stream::{StreamExt, poll_fn};
use http_body_util::BodyDataStream;
use hyper::body::{Body as _, Buf as _};
use hyper::header::CONTENT_LENGTH;
use tokio::runtime::Handle;
use warp::filters::log::Info;
use warp::http::{HeaderValue, StatusCode};
use warp::reject::{Reject, Rejection};
use warp::reply::{Reply, Response};
use warp::{Filter, reject, reply};

/// Gives every request of these routes its correlation ID, on any server that runs warp filters.
///
/// You pass this function to [`warp::wrap_fn`], or call it. Wrap all routes at once, and
/// [recover](Filter::recover) them before you wrap them. If nobody recovers a rejection, warp
/// answers it outside any filter, and the answer has no header.
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
pub fn correlated<F>(
    routes: F,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static
where
    F: Filter<Extract: Reply, Error: Into<Rejection>> + Send + Sync + 'static,
{
    correlated_with(Policy::new(), routes)
}

/// Does the same as [`correlated`], with these rules for inbound requests.
///
/// [`Policy::rewrite_request`] has no effect, because a filter cannot change the request.
///
/// ```
/// use correlation_warp::correlation::{Policy, Trust};
/// use correlation_warp::correlated_with;
/// use warp::Filter;
///
/// let policy = Policy::new().trust(Trust::never());
/// let routes = correlated_with(policy, warp::any().map(warp::reply));
/// # let _ = warp::serve(routes);
/// ```
pub fn correlated_with<F>(
    policy: Policy,
    routes: F,
) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static
where
    F: Filter<Extract: Reply, Error: Into<Rejection>> + Send + Sync + 'static,
{
    let headers = ResponseHeaders::new(&policy);
    let on_reply = headers.clone();
    // The routes are boxed, so that routes that can fail and routes that cannot have one type. The
    // bound that `and` would need has no public name in warp. Boxing is no slower, as `and` clones
    // its argument for every request.
    //
    // The `recover` recovers nothing. It makes the routes extract one value, of whatever type. The
    // signature of `warp::serve`, and so of most routes, says only that they extract a tuple that
    // is a `Reply`.
    let routes = routes
        .boxed()
        .recover(|rejection: Rejection| ready(Err::<Response, _>(rejection)));
    begin(Arc::new(policy))
        .and(routes)
        .map(move |request: Request, reply| request.answer(&on_reply, reply))
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
    // A logger is the only place where warp shows a request without a copy of its headers. The next
    // filter takes the logger's result and runs at once.
    warp::any()
        .map(reply)
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

/// Answers the rejections of [`begin`], and leaves others to the filters around this one.
fn refuse(headers: &ResponseHeaders, rejection: Rejection) -> Result<Response, Rejection> {
    let Some(Refused { id, reason }) = rejection.find() else {
        // warp drops the request as soon as this function returns.
        PASSED_ON.set(true);
        return Err(rejection);
    };
    let mut response = reply::with_status(*reason, StatusCode::BAD_REQUEST).into_response();
    headers.set(id.clone(), response.headers_mut());
    Ok(response)
}

/// A request that the policy rejects. The answer is 400 with this ID and this text.
#[derive(Debug)]
struct Refused {
    id: HeaderValue,
    reason: &'static str,
}

impl Reject for Refused {}

/// A request on its way through the routes.
struct Request {
    context: Context,
    id: HeaderValue,
    /// `None` if an outer [`correlated`] has it already.
    outermost: Option<Outermost>,
    access: Ending,
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
                access: Ending::default(),
            });
        }
        let peer = info.remote_addr().map(|addr| addr.ip());
        let (decision, id) = receive(policy, headers, peer);
        let (method, path) = (info.method().as_str(), info.path());
        let mut access = AccessRecord::begin(policy, decision.context(), method, path, peer);
        if let Some(rejected) = decision.rejected() {
            let reason = rejected.as_str();
            access.status(Rejected::STATUS);
            access.sent(reason.len() as u64);
            access.complete();
            return Err(Refused { id, reason });
        }
        let context = decision.into_context();
        in_flight().insert(address, context.clone());
        let outermost = Outermost {
            address,
            _task: TaskContext::enter(context.clone()),
        };
        Ok(Self {
            context,
            id,
            outermost: Some(outermost),
            access: Ending(access),
        })
    }

    fn answer(mut self, headers: &ResponseHeaders, reply: impl Reply) -> Response {
        let mut response = sync_scope(self.context.clone(), || reply.into_response());
        headers.set(self.id, response.headers_mut());
        let mut access = mem::take(&mut self.access.0);
        access.status(response.status().as_u16());
        // A body whose size is known is already there, and no code runs when it is sent.
        let size = response.body().size_hint().exact();
        if size.is_some() || self.outermost.is_none() {
            size.into_iter().for_each(|size| access.sent(size));
            access.complete();
            return response;
        }
        let length = response.headers().get(CONTENT_LENGTH);
        match length.and_then(|length| length.to_str().ok()?.parse().ok()) {
            Some(length) => access.length(length),
            None => access.sent(0),
        }
        let (head, body) = response.into_parts();
        let mut chunks = adapter::scoped(self.context, BodyDataStream::new(body));
        let chunks = poll_fn(move |cx| {
            let polled = access.run(|| chunks.poll_next_unpin(cx));
            match &polled {
                Poll::Ready(Some(Ok(chunk))) => access.sent(chunk.remaining() as u64),
                Poll::Ready(Some(Err(_))) => access.failed(),
                Poll::Ready(None) => access.complete(),
                Poll::Pending => {}
            }
            polled
        });
        let body = reply::stream(chunks).into_response().into_body();
        Response::from_parts(head, body)
    }
}

/// The access record while the routes run.
///
/// No filter can run its inner filters under `catch_unwind`. If one of them panics, the server
/// catches the panic and drops this value meanwhile. Logging has to wait until the unwinding has
/// ended, so another task does it.
///
/// If the routes reject the request, another filter answers it, and that one may write a record.
#[derive(Default)]
struct Ending(AccessRecord);

thread_local! {
    /// Whether the request that is dropped next has been rejected by its routes.
    static PASSED_ON: Cell<bool> = const { Cell::new(false) };
}

impl Drop for Ending {
    fn drop(&mut self) {
        let mut access = mem::take(&mut self.0);
        if PASSED_ON.take() {
            access.discard();
        } else if access.is_open()
            && thread::panicking()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move { access.panicked() });
        }
    }
}

/// Ties the context to the task, and to the request itself.
struct Outermost {
    address: usize,
    _task: TaskContext,
}

impl Drop for Outermost {
    fn drop(&mut self) {
        // The context is dropped after the lock is released, because dropping its span calls the
        // subscriber.
        let _removed = in_flight().remove(&self.address);
    }
}

/// Returns the requests in flight, by the address of their headers.
///
/// A filter can leave nothing in the request itself for an inner filter to find. The headers and
/// [`Outermost`] are parts of one pinned future. So no other request can have the same address
/// before this one is removed.
fn in_flight() -> MutexGuard<'static, BTreeMap<usize, Context>> {
    static IN_FLIGHT: Mutex<BTreeMap<usize, Context>> = Mutex::new(BTreeMap::new());

    IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner)
}
