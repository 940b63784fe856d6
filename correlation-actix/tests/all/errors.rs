//! Errors that are not the handler's.

use std::fmt;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::ErrorLocked;
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::get;
use actix_web::{App, Error, HttpResponse, ResponseError};
use correlation_actix::correlation::Policy;
use correlation_actix::correlation::testing::LogCapture;
use correlation_actix::{Correlation, CurrentId};
use correlation_testkit::{CORRELATION_ID, Connection};

use crate::server;

/// The error of a middleware. Its response has an ID of its own.
#[derive(Debug)]
struct Locked;

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("locked")
    }
}

impl ResponseError for Locked {
    fn error_response(&self) -> HttpResponse {
        HttpResponse::Locked()
            .insert_header((CORRELATION_ID, "set-by-error"))
            .body(self.to_string())
    }
}

async fn lock(
    _: ServiceRequest,
    _: Next<impl MessageBody>,
) -> Result<ServiceResponse<String>, Error> {
    Err(Locked.into())
}

#[tokio::test]
async fn the_response_of_a_middleware_error_carries_the_id() {
    let addr = server::serve(|| {
        App::new()
            .configure(server::routes)
            .wrap(from_fn(lock))
            .wrap(Correlation::new())
            .wrap(Correlation::new())
    });
    let mut connection = Connection::open(addr).await.unwrap();
    for id in ["c-1", "c-2"] {
        let response = connection.get("/id", &[(CORRELATION_ID, id)]).await;
        let response = response.unwrap();
        assert_eq!(response.status, 423);
        assert_eq!(response.ids(), [id]);
        assert_eq!(response.text(), "locked");
    }
}

#[actix_web::test]
async fn a_middleware_error_stays_what_it_is() {
    for (policy, ids, exposed) in [
        (
            Policy::new().expose_to_browsers(true),
            "c-1",
            Some(CORRELATION_ID),
        ),
        (
            Policy::new().without_response_header(),
            "set-by-error",
            None,
        ),
    ] {
        let app = App::new()
            .wrap(from_fn(lock))
            .wrap(Correlation::new().policy(policy));
        let app = init_service(app).await;
        let request = TestRequest::default().insert_header((CORRELATION_ID, "c-1"));
        let error = app.call(request.to_request()).await.unwrap_err();
        assert!(error.as_error::<Locked>().is_some());
        // Whoever is outside may ask more than once.
        for _ in 0..2 {
            let response = error.error_response();
            let lines = |name| -> Vec<_> {
                let lines = response.headers().get_all(name);
                lines.map(|line| line.to_str().unwrap()).collect()
            };
            assert_eq!(lines(CORRELATION_ID), [ids]);
            assert_eq!(
                lines("access-control-expose-headers"),
                Vec::from_iter(exposed)
            );
        }
    }
}

async fn lock_with_a_status(
    _: ServiceRequest,
    _: Next<impl MessageBody>,
) -> Result<ServiceResponse<String>, Error> {
    Err(ErrorLocked("locked"))
}

#[actix_web::test]
async fn a_middleware_error_has_an_access_record() {
    let policy = Policy::new().access_record(true);
    let app = App::new()
        .wrap(from_fn(lock_with_a_status))
        .wrap(Correlation::new().policy(policy));
    let app = init_service(app).await;
    let log = LogCapture::start();
    let request = TestRequest::default().insert_header((CORRELATION_ID, "c-1"));
    assert!(app.call(request.to_request()).await.is_err());
    log.assert_target("access", "c-1");
    let [record] = &log.lines()[..] else {
        panic!("{:?}", log.lines());
    };
    assert_eq!(record.field("status"), Some("423"), "{record}");
    assert_eq!(record.field("outcome"), Some("completed"), "{record}");
}

#[actix_web::test]
async fn the_extractor_says_what_is_missing() {
    let app = App::new()
        .route("/id", get().to(async |id: CurrentId| id.to_string()))
        .route(
            "/maybe",
            get().to(async |id: Option<CurrentId>| format!("{id:?}")),
        );
    let app = init_service(app).await;

    let request = TestRequest::with_uri("/id").to_request();
    let response = call_service(&app, request).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let text = read_body(response).await;
    assert!(
        text.starts_with(b"no correlation ID: is `Correlation`"),
        "{text:?}"
    );

    let request = TestRequest::with_uri("/maybe").to_request();
    assert_eq!(read_body(call_service(&app, request).await).await, "None");
}
