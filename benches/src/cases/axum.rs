//! One request through an axum router, in process.

use std::convert::Infallible;
use std::fmt;
use std::hint::black_box;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use correlation_axum::CorrelationLayer;
use correlation_core::tag;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt as _;
use tower::layer::layer_fn;
use tower::{Layer, Service, ServiceBuilder, service_fn};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use super::by_hand::{self, ID, SHARED};
use super::floor::Floor;
use super::{CALLERS, NAME, OTHERS, headers};
use crate::Group;
use crate::run::ready;

pub(crate) fn groups() -> Vec<Group> {
    let kinds: [fn(&str, &HeaderMap) -> Group; 4] = [
        |what, headers| around(what, "axum, around", headers, router),
        inside,
        |what, headers| around(what, "axum, around, body of 3 frames", headers, streaming),
        logging,
    ];
    let groups = kinds
        .into_iter()
        .flat_map(|kind| CALLERS.map(|(what, id)| kind(what, &headers(OTHERS, id))));
    groups.collect()
}

/// See its module.
pub(crate) const FLOOR: &str = "floor by hand, no policy";
const FAIR: &str = "7 other headers. The body is read to its end. tower-http also fills the request \
                    header and two extensions, which ours does not; ours has an ambient ID, in the \
                    body, too, looks for three headers and checks the ID, which tower-http does not.";

fn around(what: &str, name: &str, headers: &HeaderMap, router: fn() -> Router) -> Group {
    let group = Group::new(format!("{name}, {what}"), FAIR);
    let headers: [HeaderMap; 5] = std::array::from_fn(|_| headers.clone());
    let [bare, ours, pair, hand, floor] = headers;
    group
        .bare("router", move || request::<_, Body, _>(bare, router()))
        .ours("CorrelationLayer", move || {
            request::<_, Body, _>(ours, CorrelationLayer::new().layer(router()))
        })
        .peer("tower-http pair", move || {
            request::<_, Body, _>(pair, tower_http_pair().service(router()))
        })
        .peer("boxed future by hand", move || {
            request::<_, Body, _>(hand, boxed_by_hand(router()))
        })
        .peer(FLOOR, move || request::<_, Body, _>(floor, Floor(router())))
}

fn inside(what: &str, headers: &HeaderMap) -> Group {
    let group = Group::new(format!("axum, Router::layer, {what}"), FAIR);
    let headers: [HeaderMap; 5] = std::array::from_fn(|_| headers.clone());
    let [bare, identity, ours, pair, hand] = headers.clone();
    let group = group
        .bare("router", move || request::<_, Body, _>(bare, router()))
        .peer("layer that does nothing", move || {
            request::<_, Body, _>(identity, router().layer(layer_fn(|inner| inner)))
        })
        .ours("CorrelationLayer", move || {
            request::<_, Body, _>(ours, router().layer(CorrelationLayer::new()))
        })
        .peer("tower-http pair", move || {
            request::<_, Body, _>(pair, router().layer(tower_http_pair()))
        })
        .peer("from_fn by hand", move || {
            request::<_, Body, _>(hand, router().layer(from_fn(function_by_hand)))
        });
    #[cfg(feature = "peers")]
    let group = {
        let [headers, ..] = headers;
        group.peer("tower-http pair + TraceLayer", move || {
            let layers = tower_http_pair().layer(trace_layer());
            request::<_, Body, _>(headers, router().layer(layers))
        })
    };
    group
}

/// What all of it is for.
fn logging(what: &str, headers: &HeaderMap) -> Group {
    let group = Group::new(
        format!("axum, Router::layer, one log line, {what}"),
        "The handler logs one line of text, to nowhere, with the ID on it, but for the bare router.",
    );
    let router = || {
        let handler = || async {
            tracing::info!(rows = 3, "query done");
            "ok"
        };
        Router::new().route("/", get(handler))
    };
    let headers: [HeaderMap; 3] = std::array::from_fn(|_| headers.clone());
    let [bare, ours, hand] = headers.clone();
    let subscriber = || {
        tracing_subscriber::fmt()
            .with_timer(Noon)
            .with_ansi(false)
            .with_writer(|| Sink)
    };
    let group = group
        .bare("router, no ID", move || {
            logged(
                Dispatch::new(subscriber().finish()),
                request::<_, Body, _>(bare, router()),
            )
        })
        .ours("CorrelationLayer and tag", move || {
            let dispatch = Dispatch::new(subscriber().map_writer(tag).finish());
            logged(
                dispatch,
                request::<_, Body, _>(ours, router().layer(CorrelationLayer::new())),
            )
        })
        .peer("span in from_fn by hand", move || {
            let router = router().layer(from_fn(span_by_hand));
            logged(
                Dispatch::new(subscriber().finish()),
                request::<_, Body, _>(hand, router),
            )
        });
    #[cfg(feature = "peers")]
    let group = {
        let [headers, ..] = headers;
        group.peer("tower-http pair + TraceLayer", move || {
            let router = router().layer(tower_http_pair().layer(trace_layer()));
            logged(
                Dispatch::new(subscriber().finish()),
                request::<_, Body, _>(headers, router),
            )
        })
    };
    group
}

pub(crate) fn router() -> Router {
    Router::new().route("/", get(|| async { "ok" }))
}

fn streaming() -> Router {
    let handler = || async {
        let frames =
            [b"a frame of a body"; 3].map(|it| Ok::<_, Infallible>(Bytes::from_static(it)));
        Body::from_stream(futures_util::stream::iter(frames))
    };
    Router::new().route("/", get(handler))
}

pub(crate) fn tower_http_pair() -> ServiceBuilder<
    tower::layer::util::Stack<
        PropagateRequestIdLayer,
        tower::layer::util::Stack<SetRequestIdLayer<MakeRequestUuid>, tower::layer::util::Identity>,
    >,
> {
    ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(PropagateRequestIdLayer::x_request_id())
}

/// As tower-http's documentation has it, with the ID as a field of the span.
#[cfg(feature = "peers")]
fn trace_layer() -> tower_http::trace::TraceLayer<
    tower_http::classify::SharedClassifier<tower_http::classify::ServerErrorsAsFailures>,
    impl Fn(&Request) -> tracing::Span + Clone,
> {
    tower_http::trace::TraceLayer::new_for_http().make_span_with(|request: &Request| {
        let id = request.headers().get(NAME).and_then(|id| id.to_str().ok());
        tracing::info_span!("request", correlation_id = id, method = %request.method(), uri = %request.uri())
    })
}

/// A middleware as people write it.
pub(crate) async fn function_by_hand(request: Request, next: Next) -> Response {
    let id = by_hand::receive(request.headers());
    let mut response = ID.scope(id.clone(), next.run(request)).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(NAME, id);
    }
    response
}

async fn span_by_hand(request: Request, next: Next) -> Response {
    use tracing::Instrument as _;

    let id = by_hand::receive(request.headers());
    let span = tracing::info_span!("request", correlation_id = id.as_str());
    let mut response = next.run(request).instrument(span).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(NAME, id);
    }
    response
}

/// A tower service as people write it.
pub(crate) fn boxed_by_hand<S, R>(
    inner: S,
) -> impl Service<http::Request<R>, Response = Response, Error = Infallible, Future: Send> + Clone
where
    S: Service<http::Request<R>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    R: Send + 'static,
{
    service_fn(move |request: http::Request<R>| {
        let mut inner = inner.clone();
        let id: Arc<str> = by_hand::receive(request.headers()).into();
        let scoped = SHARED.scope(Arc::clone(&id), async move { inner.call(request).await });
        Box::pin(async move {
            let mut response = scoped.await?;
            if let Ok(id) = HeaderValue::from_str(&id) {
                response.headers_mut().insert(NAME, id);
            }
            Ok(response)
        })
    })
}

/// One request, its answer read to the end.
pub(crate) fn request<S, R, B>(headers: HeaderMap, mut service: S) -> impl FnMut() -> usize
where
    S: Service<http::Request<R>, Response = Response<B>, Error = Infallible> + 'static,
    R: Default,
    B: http_body::Body<Data = Bytes>,
{
    move || {
        let mut request = http::Request::new(R::default());
        *request.headers_mut() = headers.clone();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        let Ok(response) = ready(service.call(request));
        drain(response)
    }
}

/// Reads a body to its end, as a server does.
pub(crate) fn drain<B: http_body::Body<Data = Bytes>>(response: Response<B>) -> usize {
    let (parts, body) = response.into_parts();
    let mut body = pin!(body);
    let mut bytes = 0;
    while let Some(Ok(frame)) = ready(body.frame()) {
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
    drop(parts);
    bytes
}

fn logged<R>(dispatch: Dispatch, mut run: impl FnMut() -> R) -> impl FnMut() -> R {
    move || dispatcher::with_default(&dispatch, &mut run)
}

/// The time of an event: it stands still, since digits that change are instructions that change.
pub(crate) struct Noon;

impl FormatTime for Noon {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        let [year, month, day, hour, minute, second] = black_box([2_026, 11, 28, 12, 15, 10]);
        let micros = black_box(123_456);
        write!(
            out,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z"
        )
    }
}

/// Takes everything.
pub(crate) struct Sink;

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
