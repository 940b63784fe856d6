//! What is the layer's own, beside the contract.

use std::convert::Infallible;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use correlation_tower::correlation::testing::LogCapture;
use correlation_tower::correlation::{Policy, current};
use correlation_tower::{CorrelatedBody, CorrelationLayer};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

fn request() -> Request<()> {
    Request::new(())
}

/// What a rejected request is answered with, where the inner service answers with such bodies.
async fn rejected<B: Body<Data: 'static> + Default>() -> Response<CorrelatedBody<B>> {
    let policy = Policy::new().reject_missing(true);
    let service = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::<B>::default()));
    let service = CorrelationLayer::new().policy(policy).layer(service);
    service.oneshot(request()).await.unwrap()
}

async fn bytes<B>(response: Response<B>) -> Bytes
where
    B: Body<Error = Infallible>,
{
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn a_rejected_request_is_told_why() {
    const WHY: &str = "the request has no correlation ID";

    let response = rejected::<Full<Bytes>>().await;
    assert_eq!(response.status(), 400);
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(response.headers()["x-correlation-id"].len(), 36);
    assert_eq!(response.body().size_hint().exact(), Some(WHY.len() as u64));
    assert!(!response.body().is_end_stream());
    assert_eq!(bytes(response).await, WHY);

    let response = rejected::<Empty<&[u8]>>().await;
    assert_eq!(bytes(response).await, WHY);
}

type Second = fn() -> Poll<Option<io::Result<Frame<Bytes>>>>;

/// A body that tells which ID it is dropped with, after what its second poll does.
struct Witness {
    polls: u8,
    second: Second,
    empty: bool,
    dropped: Sender<Option<String>>,
}

impl Body for Witness {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.polls += 1;
        match self.polls {
            1 => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"abc"))))),
            _ => (self.second)(),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.empty
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.dropped.send(current().map(String::from));
    }
}

/// The body of the response to a request with the ID `click-1`.
async fn witness(
    second: Second,
    empty: bool,
) -> (CorrelatedBody<Witness>, Receiver<Option<String>>) {
    let (dropped, drops) = channel();
    let service = service_fn(move |_: Request<()>| {
        let dropped = dropped.clone();
        let polls = 0;
        let body = Witness {
            polls,
            second,
            empty,
            dropped,
        };
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let policy = Policy::new().access_record(true);
    let service = CorrelationLayer::new().policy(policy).layer(service);
    let request = Request::builder().header("x-correlation-id", "click-1");
    let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
    (response.into_body(), drops)
}

/// It is read in two steps, and then dropped.
#[tokio::test]
async fn the_access_record_says_how_a_body_ended() {
    let cases: [(Second, &str); 4] = [
        (|| Poll::Pending, "client_gone"),
        (|| Poll::Ready(None), "completed"),
        (
            || Poll::Ready(Some(Err(io::Error::other("broken")))),
            "failed",
        ),
        (|| panic!("boom"), "panicked"),
    ];
    for (second, outcome) in cases {
        let log = LogCapture::start();
        let (body, _drops) = witness(second, false).await;
        let (mut body, cx) = (Box::pin(body), &mut Context::from_waker(Waker::noop()));
        assert!(body.as_mut().poll_frame(cx).is_ready());
        let next = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll_frame(cx).map(drop)));
        assert_eq!(next.is_err(), outcome == "panicked");
        drop(body);
        let [record] = &log.lines()[..] else {
            panic!("{:?}", log.lines());
        };
        assert_eq!(record.field("bytes"), Some("3"), "{record}");
        assert_eq!(record.field("outcome"), Some(outcome), "{record}");
    }
}

/// Before it returns a future, and when that is polled.
#[tokio::test]
async fn a_service_that_panics_has_an_access_record() {
    for at_once in [true, false] {
        let policy = Policy::new().access_record(true);
        let service = service_fn(move |_: Request<()>| {
            assert!(!at_once, "boom");
            async move {
                assert!(at_once, "boom");
                Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
            }
        });
        let mut service = CorrelationLayer::new().policy(policy).layer(service);
        let log = LogCapture::start();
        let sent = Request::builder().header("x-correlation-id", "click-1");
        let sent = sent.body(()).unwrap();
        let call = || {
            let future = pin!(service.call(sent));
            future
                .poll(&mut Context::from_waker(Waker::noop()))
                .map(drop)
        };
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
        log.assert_target("access", "click-1");
        let record = &log.lines()[0];
        assert_eq!(record.field("outcome"), Some("panicked"), "{at_once}");
    }
}

/// A service may do work before it returns its future.
#[tokio::test]
async fn a_service_reads_the_id_at_once() {
    let service = service_fn(|_: Request<()>| {
        let read = current().map_or_else(String::new, String::from);
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(read))) }
    });
    let service = CorrelationLayer::new().layer(service);
    let sent = Request::builder().header("x-correlation-id", "click-1");
    let response = service.oneshot(sent.body(()).unwrap()).await.unwrap();
    let mut body = response.into_body();
    assert!(!body.is_end_stream());
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "click-1");
    assert!(body.is_end_stream(), "the inner body says so");
}

#[tokio::test]
async fn a_body_that_nobody_reads_has_sent_nothing() {
    let log = LogCapture::start();
    drop(witness(|| Poll::Pending, false).await);
    assert_eq!(log.lines()[0].field("bytes"), Some("0"));
}

#[tokio::test]
async fn a_body_is_dropped_in_its_context() {
    for empty in [false, true] {
        let (body, drops) = witness(|| Poll::Pending, empty).await;
        drop(body);
        assert_eq!(drops.try_recv().unwrap().as_deref(), Some("click-1"));
    }
}

/// Data that a text cannot be made to.
#[derive(Debug, Default)]
struct Own(Bytes);

impl Buf for Own {
    fn remaining(&self) -> usize {
        self.0.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.0.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.0.advance(count);
    }
}

#[tokio::test]
async fn where_the_data_is_of_a_kind_of_its_own_the_body_is_empty() {
    let response = rejected::<Empty<Own>>().await;
    assert_eq!(response.status(), 400);
    assert!(response.body().is_end_stream());
    assert_eq!(response.body().size_hint().exact(), Some(0));
    assert_eq!(bytes(response).await, "");
}

/// The IDs that two layers read, with a buffer between them.
async fn around_a_buffer(policy: Policy) -> (String, String) {
    let service = ServiceBuilder::new()
        .layer(CorrelationLayer::new().policy(policy))
        .buffer(1)
        .layer(CorrelationLayer::new())
        .service(service_fn(async |_: Request<()>| {
            let id = current().unwrap().to_string();
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(id)))
        }));
    let response = service.oneshot(request()).await.unwrap();
    let outer = response.headers()["x-correlation-id"].to_str().unwrap();
    let outer = outer.to_owned();
    let inner = response.into_body().collect().await.unwrap().to_bytes();
    (outer, String::from_utf8(inner.to_vec()).unwrap())
}

/// The README says what helps.
#[tokio::test]
async fn behind_a_buffer_a_second_layer_reads_the_id_in_the_request() {
    let (outer, inner) = around_a_buffer(Policy::new()).await;
    assert_ne!(
        outer, inner,
        "if this is the same, the README is out of date"
    );
    let (outer, inner) = around_a_buffer(Policy::new().rewrite_request(true)).await;
    assert_eq!(outer, inner);
}

#[tokio::test]
async fn debug_output_shows_the_id_and_not_the_body() {
    let service = service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"secret"))))
    });
    let mut service = CorrelationLayer::new().layer(service);
    let sent = Request::builder().header("x-correlation-id", "click-1");
    let future = service.call(sent.body(()).unwrap());
    assert_eq!(
        format!("{future:?}"),
        r#"ResponseFuture { header: Some("click-1"), .. }"#
    );
    let response = future.await.unwrap();
    assert_eq!(format!("{:?}", response.body()), "CorrelatedBody(..)");
}
