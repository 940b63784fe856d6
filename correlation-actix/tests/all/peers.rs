//! Requests without an address.

use actix_web::App;
use actix_web::test::{TestRequest, call_and_read_body, init_service};
use actix_web::web::get;
use correlation_actix::Correlation;
use correlation_actix::correlation::testing::LogCapture;
use correlation_actix::correlation::{Policy, Trust};
use correlation_testkit::{CORRELATION_ID, app};

/// It came over a Unix socket or from a test, so no warning asks the server for an address.
#[actix_web::test]
async fn a_request_without_an_address_is_in_no_network_and_not_warned_about() {
    let policy = Policy::new().trust(Trust::networks(["0.0.0.0/0", "::/0"]));
    let app = App::new()
        .route("/", get().to(async || app::id()))
        .wrap(Correlation::new().policy(policy));
    let app = init_service(app).await;
    let log = LogCapture::start();
    let request = TestRequest::default().insert_header((CORRELATION_ID, "c-1"));
    assert_ne!(call_and_read_body(&app, request.to_request()).await, "c-1");
    let own = log.lines().into_iter();
    let own = own.filter(|line| line.target == "correlation");
    let own: Vec<_> = own.map(|line| line.message).collect();
    assert_eq!(own, ["caller's ID is not trusted"]);
}
