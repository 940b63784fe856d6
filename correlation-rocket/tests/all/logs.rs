//! Rocket's own log records.

use std::sync::Once;

use correlation_rocket::Correlation;
use correlation_rocket::correlation::testing::{LogCapture, LogLine};
use correlation_testkit::{CORRELATION_ID, Connection};
use rocket::{get, routes};
use tracing::Level;

use crate::server;

/// Has to be called before Rocket installs a logger.
pub(crate) fn init() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| drop(LogCapture::on_all_threads(Level::INFO)));
}

#[get("/logged")]
fn logged() -> &'static str {
    log::info!("the handler logged");
    "logged"
}

#[get("/logged-panic")]
fn logged_panic() -> &'static str {
    panic!("boom")
}

#[tokio::test(flavor = "multi_thread")]
async fn rockets_own_records_have_the_id() {
    let rocket = server::rocket().mount("/", routes![logged, logged_panic]);
    let log = LogCapture::on_all_threads(Level::INFO);
    let addr = server::serve(rocket.attach(Correlation::fairing()));
    for (path, id, want) in [
        (
            "/logged",
            "logged-1",
            &[
                "GET /logged:",
                "Matched: (logged) GET /logged",
                "the handler logged",
                "Outcome: Success(200 OK)",
                "Response succeeded.",
            ][..],
        ),
        (
            "/logged-panic",
            "logged-2",
            &[
                "Handler logged_panic panicked.",
                "No 500 catcher registered. Using Rocket default.",
                "Response succeeded.",
            ],
        ),
    ] {
        let mut connection = Connection::open(addr).await.unwrap();
        connection.get(path, &[(CORRELATION_ID, id)]).await.unwrap();
        let has = |text: &str| {
            let text = text.to_owned();
            move |line: &LogLine| {
                line.id.as_ref().is_some_and(|of| of == id) && line.message == text
            }
        };
        // The last record is written after the response.
        let _ = log.wait_for(has("Response succeeded."));
        for want in want {
            assert!(
                log.lines().iter().any(has(want)),
                "{want} not in {:#?}",
                log.lines()
            );
        }
    }
    // What is about the routes of this file; other tests run meanwhile.
    for line in log
        .lines()
        .iter()
        .filter(|line| line.message.contains("logged"))
    {
        let launch = line.message.starts_with("(logged");
        assert_eq!(line.id.is_some(), !launch, "{line}");
    }
}
