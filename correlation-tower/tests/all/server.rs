//! What is the layer's own, beside the contract.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use correlation_tower::correlation::{Policy, current};
use correlation_tower::{CorrelatedBody, CorrelationLayer};
use http::{HeaderValue, Request, Response};
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

/// A body that tells in whose scope it is dropped.
struct Witness(Full<Bytes>, Arc<Mutex<Vec<Option<String>>>>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(current().map(String::from));
    }
}

impl Body for Witness {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}

#[tokio::test]
async fn a_body_is_dropped_in_its_scope_whether_it_is_empty_or_not() {
    for text in ["", "text"] {
        let dropped = Arc::default();
        let service = service_fn(async |_: Request<()>| {
            let body = Witness(Full::from(text), Arc::clone(&dropped));
            Ok::<_, Infallible>(Response::new(body))
        });
        let mut request = request();
        let id = HeaderValue::from_static("click-1");
        request.headers_mut().insert("x-correlation-id", id);
        let response = CorrelationLayer::new()
            .layer(service)
            .oneshot(request)
            .await;
        drop(response.unwrap());
        assert_eq!(
            *dropped.lock().unwrap(),
            [Some("click-1".to_owned())],
            "{text:?}"
        );
    }
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
