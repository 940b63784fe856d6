//! Bodies stay what they are, and live and die in the context of their request.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll};

use actix_web::body::{self, BodySize, MessageBody, SizedStream};
use actix_web::dev::Service;
use actix_web::error::ErrorBadGateway;
use actix_web::middleware::Logger;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::{Bytes, get};
use actix_web::{App, Error, HttpResponse};
use correlation_actix::Correlation;
use correlation_actix::correlation::Policy;
use correlation_actix::correlation::testing::LogCapture;
use correlation_testkit::app;
use correlation_testkit::{CORRELATION_ID, Connection};
use futures_util::{FutureExt, StreamExt, stream};

use crate::server;

fn request() -> TestRequest {
    TestRequest::default().insert_header((CORRELATION_ID, "c-1"))
}

fn sized_stream() -> HttpResponse {
    let late = stream::once(async { Ok::<_, Error>(Bytes::from(app::id())) });
    HttpResponse::Ok().body(SizedStream::new("c-1".len() as u64, late))
}

#[actix_web::test]
async fn a_complete_body_stays_complete() {
    let app = App::new()
        .route("/", get().to(async || "complete"))
        .wrap(Correlation::new())
        .wrap(Correlation::new());
    let body = call_service(&init_service(app).await, request().to_request()).await;
    let body = body.into_body();
    assert_eq!(body.size(), BodySize::Sized(8));
    assert_eq!(
        body.try_into_bytes().ok().as_deref(),
        Some(&b"complete"[..])
    );
}

#[actix_web::test]
async fn no_body_stays_no_body() {
    let handler = async || HttpResponse::Ok().body(body::None::new());
    let app = App::new()
        .route("/", get().to(handler))
        .wrap(Correlation::new());
    let response = call_service(&init_service(app).await, request().to_request()).await;
    assert_eq!(response.response().body().size(), BodySize::None);
    assert_eq!(read_body(response).await, "");
}

#[actix_web::test]
async fn a_stream_keeps_its_size_and_reads_the_id() {
    let app = App::new()
        .route("/", get().to(async || sized_stream()))
        .wrap(Correlation::new());
    let response = call_service(&init_service(app).await, request().to_request()).await;
    assert_eq!(response.response().body().size(), BodySize::Sized(3));
    assert_eq!(read_body(response).await, "c-1");
}

#[tokio::test]
async fn content_length_stays() {
    let addr = server::serve(|| {
        App::new()
            .configure(server::routes)
            .route("/sized", get().to(async || sized_stream()))
            .route(
                "/empty",
                get().to(async || HttpResponse::NoContent().finish()),
            )
            // Wraps every body, so that none of them is complete any more.
            .wrap(Logger::default())
            .wrap(Correlation::new())
    });
    let mut connection = Connection::open(addr).await.unwrap();
    for (path, length) in [
        ("/id", &["3"][..]),
        ("/sized", &["3"]),
        ("/empty", &[]),
        ("/stream", &[]),
    ] {
        let response = connection.get(path, &[(CORRELATION_ID, "c-1")]).await;
        let response = response.unwrap();
        assert_eq!(response.ids(), ["c-1"], "{path}");
        assert_eq!(response.values("content-length"), length, "{path}");
    }
}

/// A body that tells which ID it is dropped with.
struct Witness {
    size: BodySize,
    dropped: Sender<String>,
}

impl MessageBody for Witness {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.dropped.send(app::id());
    }
}

#[actix_web::test]
async fn every_body_is_dropped_in_its_context() {
    for size in [BodySize::None, BodySize::Sized(0), BodySize::Stream] {
        let (dropped, drops) = channel();
        let app = App::new()
            .wrap_fn(move |request, inner| {
                let (dropped, future) = (dropped.clone(), inner.call(request));
                async move {
                    let response = future.await?;
                    Ok(response.map_body(|_, _| Witness { size, dropped }))
                }
            })
            .wrap(Correlation::new());
        let app = init_service(app).await;
        drop(call_service(&app, request().to_request()).await);
        assert_eq!(drops.try_recv().as_deref(), Ok("c-1"), "{size:?}");
    }
}

/// It is read in two steps, and then dropped.
#[actix_web::test]
async fn the_access_record_says_how_a_body_ended() {
    type Rest = fn() -> stream::LocalBoxStream<'static, Result<Bytes, Error>>;
    let cases: [(Rest, bool, &str); 4] = [
        (|| stream::pending().boxed_local(), false, "client_gone"),
        // Nobody asks for more than its length.
        (|| stream::pending().boxed_local(), true, "completed"),
        (
            || stream::iter([Err(ErrorBadGateway("broken"))]).boxed_local(),
            false,
            "failed",
        ),
        (
            || stream::poll_fn(|_| panic!("boom")).boxed_local(),
            false,
            "panicked",
        ),
    ];
    for (rest, sized, outcome) in cases {
        let handler = move || async move {
            let chunks = stream::iter([Ok(Bytes::from("abc"))]).chain(rest());
            match sized {
                true => HttpResponse::Ok().body(SizedStream::new(3, chunks)),
                false => HttpResponse::Ok().streaming(chunks),
            }
        };
        let policy = Policy::new().access_record(true);
        let app = App::new()
            .route("/", get().to(handler))
            .wrap(Correlation::new().policy(policy));
        let app = init_service(app).await;
        let log = LogCapture::start();
        let response = call_service(&app, request().to_request()).await;
        let mut body = Box::pin(response.into_body());
        let mut next = || poll_fn(|cx| body.as_mut().poll_next(cx)).now_or_never();
        assert!(next().unwrap().unwrap().is_ok());
        let next = catch_unwind(AssertUnwindSafe(|| next().map(drop)));
        assert_eq!(next.is_err(), outcome == "panicked");
        drop(body);
        let [record] = &log.lines()[..] else {
            panic!("{:?}", log.lines());
        };
        assert_eq!(record.field("bytes"), Some("3"), "{record}");
        assert_eq!(record.field("outcome"), Some(outcome), "{record}");
    }
}

#[actix_web::test]
async fn a_future_that_is_never_polled_is_dropped_in_its_context() {
    let (dropped, drops) = channel();
    let app = App::new()
        .wrap_fn(move |request, inner| {
            // What runs before the future is there, has the ID too.
            dropped.send(app::id()).unwrap();
            let witness = Witness {
                size: BodySize::None,
                dropped: dropped.clone(),
            };
            let future = inner.call(request);
            async move {
                let _witness = witness;
                future.await
            }
        })
        .wrap(Correlation::new());
    let app = init_service(app).await;
    drop(app.call(request().to_request()));
    assert_eq!(drops.try_iter().collect::<Vec<_>>(), ["c-1", "c-1"]);
}
