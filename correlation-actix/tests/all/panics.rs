//! A panic takes its ID along.

use std::panic::{AssertUnwindSafe, catch_unwind};

use actix_web::App;
use actix_web::dev::{Service, ServiceRequest};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{get, scope};
use correlation_actix::Correlation;
use correlation_actix::correlation::Policy;
use correlation_actix::correlation::testing::LogCapture;
use correlation_testkit::app;
use correlation_testkit::{CORRELATION_ID, Connection, Multiplexed};

use crate::server;

#[tokio::test]
async fn a_panicking_handler_leaves_nothing_behind() {
    // One worker is one thread: whatever stays on it, the next request reads.
    let addr = server::serve(|| {
        let inside = scope("/in")
            .configure(server::routes)
            .wrap(Correlation::new());
        App::new()
            .service(inside)
            .route("/out", get().to(async || app::id()))
    });
    for n in 0..20 {
        let id = format!("panic-{n}");
        let sent = [(CORRELATION_ID, &id)];
        if n % 2 == 0 {
            let mut connection = Connection::open(addr).await.unwrap();
            assert!(connection.get("/in/panic", &sent).await.is_err());
        } else {
            let connection = Multiplexed::open(addr).await.unwrap();
            assert!(connection.get("/in/panic", &sent).await.is_err());
        }
        let mut connection = Connection::open(addr).await.unwrap();
        let outside = connection.get("/out", &sent).await.unwrap();
        assert_eq!(outside.text(), "none");
        assert!(outside.ids().is_empty());
    }
}

/// Before it returns a future, a middleware can panic as well.
#[actix_web::test]
async fn a_middleware_that_panics_at_once_has_an_access_record() {
    let policy = Policy::new().access_record(true);
    let app = App::new()
        .wrap_fn(|request: ServiceRequest, inner| {
            assert_ne!(request.path(), "/");
            inner.call(request)
        })
        .wrap(Correlation::new().policy(policy));
    let app = init_service(app).await;
    let log = LogCapture::start();
    let request = TestRequest::default().insert_header((CORRELATION_ID, "c-1"));
    let call = || drop(app.call(request.to_request()));
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    log.assert_target("access", "c-1");
    assert_eq!(log.lines()[0].field("outcome"), Some("panicked"));
}
