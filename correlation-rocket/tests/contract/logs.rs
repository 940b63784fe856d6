//! Rocket's own log records.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use correlation_rocket::{Correlation, current};
use correlation_testkit::{CORRELATION_ID, Connection, DEADLINE};
use log::{LevelFilter, Log, Metadata, Record};
use rocket::tokio::{task::yield_now, time::timeout};
use rocket::{get, routes};

use crate::app;

/// Has to be called before Rocket installs a logger.
pub(crate) fn init() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(LevelFilter::Info);
    });
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
    let rocket = app::rocket().mount("/", routes![logged, logged_panic]);
    let addr = app::serve(rocket.attach(Correlation::fairing()));
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
        // The last record is written after the response.
        let written = async {
            while !found(id, "Response succeeded.") {
                yield_now().await;
            }
        };
        let _ = timeout(DEADLINE, written).await;
        for want in want {
            assert!(found(id, want), "{want} not in {:#?}", records());
        }
    }
    for (id, text) in &*records() {
        let launch = text.starts_with("(logged");
        assert_eq!(id.is_some(), !launch, "{text}");
    }
}

fn found(id: &str, text: &str) -> bool {
    let records = records();
    let mut records = records.iter();
    records.any(|(seen, written)| seen.as_deref() == Some(id) && written == text)
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    /// Keeps what is about the routes and IDs of this file.
    fn log(&self, record: &Record<'_>) {
        let id = current().map(String::from);
        let text = record.args().to_string();
        if text.contains("logged") || id.as_deref().is_some_and(|id| id.contains("logged")) {
            records().push((id, text));
        }
    }

    fn flush(&self) {}
}

fn records() -> MutexGuard<'static, Vec<(Option<String>, String)>> {
    static RECORDS: Mutex<Vec<(Option<String>, String)>> = Mutex::new(Vec::new());
    RECORDS.lock().unwrap_or_else(PoisonError::into_inner)
}
