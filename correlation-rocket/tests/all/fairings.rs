//! Who sees the ID beside the handlers: catchers, other fairings, guards.

use std::sync::mpsc::{Receiver, channel};

use correlation_rocket::correlation::{Policy, Trust, current};
use correlation_rocket::{Correlation, CurrentId};
use correlation_testkit::app;
use correlation_testkit::{CORRELATION_ID, Connection, DEADLINE};
use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::http::{Header, Method, Status};
use rocket::local::asynchronous::Client;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Build, Rocket, catch, catchers, get, routes};

use crate::server;

#[get("/panic")]
fn panic() -> &'static str {
    panic!("boom")
}

struct Guard;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Guard {
    type Error = ();

    async fn from_request(_: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Error((Status::ImATeapot, ()))
    }
}

#[get("/guarded")]
fn guarded(_guard: Guard) {}

#[catch(default)]
async fn catcher(status: Status, request: &Request<'_>) -> String {
    let guard = match request.guard::<CurrentId>().await {
        Outcome::Success(id) => id.to_string(),
        Outcome::Error((status, missing)) => format!("{missing} {status}"),
        Outcome::Forward(_) => "forward".to_owned(),
    };
    format!("{} {} {guard}", status.code, app::id())
}

fn failing() -> Rocket<Build> {
    server::rocket()
        .mount("/", routes![panic, guarded])
        .register("/", catchers![catcher])
}

#[rocket::async_test]
async fn catchers_see_the_id() {
    let rocket = failing().attach(Correlation::fairing());
    let client = Client::untracked(rocket).await.unwrap();
    for (method, path, status) in [
        (Method::Get, "/missing", 404),
        (Method::Post, "/panic", 404),
        (Method::Connect, "/panic", 404),
        (Method::Get, "/panic", 500),
        (Method::Get, "/guarded", 418),
    ] {
        let request = client.req(method, path);
        let request = request.header(Header::new(CORRELATION_ID, "c-1"));
        let response = request.dispatch().await;
        let ids: Vec<_> = response.headers().get(CORRELATION_ID).collect();
        assert_eq!(ids, ["c-1"], "{method} {path}");
        let text = response.into_string().await.unwrap();
        assert_eq!(text, format!("{status} c-1 c-1"), "{method} {path}");
    }
}

#[rocket::async_test]
async fn without_the_fairing_the_guard_answers_500_and_says_why() {
    let client = Client::untracked(failing()).await.unwrap();
    let text = client.get("/missing").dispatch().await.into_string().await;
    let text = text.unwrap();
    assert!(text.starts_with("404 none no correlation ID"), "{text}");
    assert!(text.contains("`Correlation::fairing()`"), "{text}");
    assert!(text.ends_with("500 Internal Server Error"), "{text}");
}

#[get("/")]
fn id(id: CurrentId) -> String {
    id.0.into()
}

#[rocket::async_test]
async fn a_route_with_the_guard_does_not_launch_without_the_fairing() {
    let launch = server::rocket().mount("/", routes![id]).ignite().await;
    let error = launch.expect_err("the guard is told that the fairing is missing");
    assert!(
        matches!(error.kind(), ErrorKind::SentinelAborts(guards) if guards.len() == 1),
        "{error}"
    );
    let rocket = server::rocket().mount("/", routes![id]);
    let launch = rocket.attach(Correlation::fairing()).ignite().await;
    assert!(launch.is_ok());
}

/// What fairings before and after ours read, each in request and response.
fn fairings() -> (Rocket<Build>, Receiver<(&'static str, Option<String>)>) {
    let (sender, reads) = channel();
    let report = |name| {
        let (on_request, on_response) = (sender.clone(), sender.clone());
        let read = move || (name, current().map(String::from));
        let request = AdHoc::on_request(name, move |_, _| {
            on_request.send(read()).unwrap();
            Box::pin(async {})
        });
        let response = AdHoc::on_response(name, move |_, _| {
            let _ = on_response.send(read());
            Box::pin(async {})
        });
        (request, response)
    };
    let (before, after) = (report("before"), report("after"));
    let rocket = server::app()
        .attach(before.0)
        .attach(before.1)
        .attach(Correlation::fairing())
        .attach(after.0)
        .attach(after.1);
    (rocket, reads)
}

#[tokio::test(flavor = "multi_thread")]
async fn other_fairings_see_the_id() {
    let (rocket, reads) = fairings();
    let addr = server::serve(rocket);
    let mut connection = Connection::open(addr).await.unwrap();
    for path in ["/id", "/stream?chunks=2", "/no-such-path", "/panic"] {
        let sent = [(CORRELATION_ID, "c-1")];
        connection.get(path, &sent).await.unwrap();
        let reads: Vec<_> = (0..4)
            .map(|_| reads.recv_timeout(DEADLINE).unwrap())
            .collect();
        let seen = Some("c-1".to_owned());
        let want = [
            // It is too early for this one.
            ("before", None),
            ("after", seen.clone()),
            ("before", seen.clone()),
            ("after", seen),
        ];
        assert_eq!(reads, want, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rocket_answers_before_any_fairing_has_no_id() {
    let addr = server::serve(server::app().attach(Correlation::fairing()));
    let mut connection = Connection::open(addr).await.unwrap();
    let sent = [(CORRELATION_ID, "c-1")];
    let response = connection.send("BREW", "/id", &sent).await.unwrap();
    assert_eq!((response.status, response.ids().len()), (400, 0));
    let response = connection.get("/id", &sent).await.unwrap();
    assert_eq!(
        (response.status, &response.ids()[..]),
        (200, &["c-1".into()][..])
    );
}

/// Rocket keeps the last of a kind.
#[rocket::async_test]
async fn attached_twice_the_last_policy_counts() {
    let never = || Policy::new().trust(Trust::never());
    let (strict, open) = (
        Correlation::fairing().policy(never()),
        Correlation::fairing(),
    );
    for (first, last, is_kept) in [(strict.clone(), open.clone(), true), (open, strict, false)] {
        let rocket = server::app().attach(first).attach(last);
        let client = Client::untracked(rocket).await.unwrap();
        let request = client.get("/id").header(Header::new(CORRELATION_ID, "c-1"));
        let response = request.dispatch().await;
        let ids: Vec<_> = response
            .headers()
            .get(CORRELATION_ID)
            .map(str::to_owned)
            .collect();
        let text = response.into_string().await.unwrap();
        assert_eq!(ids.concat(), text);
        assert_eq!(text == "c-1", is_kept);
    }
}
