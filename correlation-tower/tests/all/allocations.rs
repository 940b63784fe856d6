//! How often the layer allocates for a request, over the service it is around.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use correlation_tower::CorrelationLayer;
use http::{HeaderValue, Request, Response};
use http_body_util::Empty;
use tower::{Layer, Service, service_fn};

type Body = Empty<bytes::Bytes>;

#[test]
fn a_new_id_costs_one_and_one_that_came_nothing() {
    let handler = || {
        service_fn(|_: Request<Body>| {
            let mut response = Response::new(Body::new());
            let headers = response.headers_mut();
            headers.insert("content-type", HeaderValue::from_static("text/plain"));
            std::future::ready(Ok::<_, Infallible>(response))
        })
    };
    for (id, expected) in [(None, 1), (Some("click-1"), 0)] {
        let bare = allocations(handler(), id);
        let ours = allocations(CorrelationLayer::new().layer(handler()), id);
        assert_eq!(ours - bare, expected, "{id:?}");
    }
}

/// Allocations of the second request: the first may set up what a thread keeps.
fn allocations<S, B>(mut service: S, id: Option<&'static str>) -> u64
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let mut counted = 0;
    for _ in 0..2 {
        let mut request = Request::new(Body::new());
        request
            .headers_mut()
            .insert("accept", HeaderValue::from_static("*/*"));
        if let Some(id) = id {
            // As a server makes it: a part of the bytes it has read.
            let bytes = bytes::Bytes::from([id; 2].concat()).split_to(id.len());
            let value = HeaderValue::from_maybe_shared(bytes).unwrap();
            request.headers_mut().insert("x-correlation-id", value);
        }
        let mut request = Some(request);
        let run = || {
            let mut cx = Context::from_waker(Waker::noop());
            let future = pin!(service.call(request.take().unwrap()));
            let Poll::Ready(Ok(_)) = future.poll(&mut cx) else {
                panic!("nothing here waits");
            };
        };
        counted = measure(run).count_total;
    }
    counted
}
