//! Requests that the policy rejects.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use correlation_rocket::Correlation;
use correlation_rocket::correlation::Policy;
use correlation_rocket::correlation::testing::LogCapture;
use correlation_testkit::CORRELATION_ID;
use correlation_testkit::app;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::local::asynchronous::Client;
use rocket::route::{BoxFuture, Outcome, Route};
use rocket::{Data, Request, State, catch, catchers, get, routes};

use crate::server;

#[get("/<_..>")]
fn handler(ran: &State<Arc<AtomicUsize>>) {
    ran.fetch_add(1, Ordering::SeqCst);
}

/// As a proxy of all methods has it; the macros do not know this one.
fn connect<'r>(request: &'r Request<'_>, _: Data<'r>) -> BoxFuture<'r> {
    let ran: Option<&Arc<AtomicUsize>> = request.rocket().state();
    ran.unwrap().fetch_add(1, Ordering::SeqCst);
    Box::pin(async move { Outcome::from(request, ()) })
}

#[catch(400)]
fn bad_request() -> String {
    format!("bad request {}", app::id())
}

#[catch(400)]
fn bad_api_request() -> String {
    format!("bad call {}", app::id())
}

async fn client(policy: Policy) -> (Client, Arc<AtomicUsize>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let rocket = server::rocket()
        .mount("/", routes![handler])
        .mount("/", [Route::ranked(-9, Method::Connect, "/<_..>", connect)])
        .register("/", catchers![bad_request])
        .register("/api", catchers![bad_api_request])
        .manage(Arc::clone(&ran))
        .attach(Correlation::fairing().policy(policy));
    (Client::untracked(rocket).await.unwrap(), ran)
}

#[rocket::async_test]
async fn the_catcher_for_400_of_the_path_answers() {
    let (client, ran) = client(Policy::new().reject_missing(true)).await;
    for (method, path, text) in [
        (Method::Get, "/", "bad request"),
        (Method::Get, "/api/orders?n=1", "bad call"),
        (Method::Post, "/api/orders", "bad call"),
        (Method::Connect, "/", "bad request"),
    ] {
        let response = client.req(method, path).dispatch().await;
        assert_eq!(response.status(), Status::BadRequest, "{method} {path}");
        let id = response
            .headers()
            .get_one(CORRELATION_ID)
            .unwrap()
            .to_owned();
        let body = response.into_string().await.unwrap();
        assert_eq!(body, format!("{text} {id}"), "{method} {path}");
    }
    let response = client.head("/").dispatch().await;
    assert_eq!(response.status(), Status::BadRequest);
    assert!(response.headers().contains(CORRELATION_ID));
    assert_eq!(response.into_string().await, None);
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[rocket::async_test]
async fn who_keeps_the_rules_is_served() {
    let policy = Policy::new().reject_invalid(true);
    let (client, ran) = client(policy).await;
    let get = |id: &'static str| client.get("/").header(Header::new(CORRELATION_ID, id));
    assert_eq!(
        get("two words").dispatch().await.status(),
        Status::BadRequest
    );
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    assert_eq!(get("one-word").dispatch().await.status(), Status::Ok);
    assert_eq!(client.get("/").dispatch().await.status(), Status::Ok);
    let connect = client.req(Method::Connect, "/").dispatch().await;
    assert_eq!(connect.status(), Status::Ok);
    assert_eq!(ran.load(Ordering::SeqCst), 3);
}

#[rocket::async_test]
async fn without_a_catcher_the_reason_is_the_answer() {
    let policy = Policy::new().reject_missing(true);
    let rocket = server::rocket()
        .register("/api", catchers![bad_api_request])
        .attach(Correlation::fairing().policy(policy));
    let client = Client::untracked(rocket).await.unwrap();
    for (path, text) in [
        ("/orders", "the request has no correlation ID"),
        ("/apis", "the request has no correlation ID"),
        ("/api/orders", "bad call"),
    ] {
        let response = client.get(path).dispatch().await;
        assert_eq!(response.status(), Status::BadRequest, "{path}");
        assert_eq!(response.content_type(), Some(ContentType::Plain), "{path}");
        let body = response.into_string().await.unwrap();
        assert!(body.starts_with(text), "{path}: {body}");
    }
}

/// The route that answers it is none of the application's.
#[rocket::async_test]
async fn a_rejected_request_has_an_access_record_without_a_route() {
    let policy = Policy::new().reject_missing(true).access_record(true);
    let rocket = server::rocket().attach(Correlation::fairing().policy(policy));
    let client = Client::untracked(rocket).await.unwrap();
    let log = LogCapture::start();
    drop(client.get("/orders").dispatch().await);
    let lines = log.lines().into_iter();
    let records: Vec<_> = lines.filter(|line| line.target == "access").collect();
    let names = records[0].fields.iter().map(|(name, _)| name.as_str());
    let expected = ["method", "path", "status", "bytes", "latency_ms", "outcome"];
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

#[catch(default)]
fn any_failure(status: Status, _: &Request<'_>) -> String {
    format!("{} {}", status.code, app::id())
}

#[rocket::async_test]
async fn a_catcher_for_every_status_answers_as_well() {
    let policy = Policy::new().reject_missing(true);
    let rocket = server::rocket()
        .register("/", catchers![any_failure])
        .attach(Correlation::fairing().policy(policy));
    let client = Client::untracked(rocket).await.unwrap();
    let response = client.get("/orders").dispatch().await;
    assert_eq!(response.status(), Status::BadRequest);
    let id = response.headers().get_one(CORRELATION_ID).unwrap();
    let text = format!("400 {id}");
    assert_eq!(response.into_string().await, Some(text));
}

/// The route that answers for the policy takes this method as well.
#[rocket::async_test]
async fn what_no_route_takes_is_not_found_whatever_its_method() {
    let policy = Policy::new().reject_invalid(true);
    let rocket = server::rocket().attach(Correlation::fairing().policy(policy));
    let client = Client::untracked(rocket).await.unwrap();
    for method in [Method::Get, Method::Connect] {
        let response = client.req(method, "/orders").dispatch().await;
        assert_eq!(response.status(), Status::NotFound, "{method}");
    }
}

#[rocket::async_test]
async fn where_nothing_is_rejected_nothing_is_mounted() {
    for (policy, routes) in [
        (Policy::new(), 0),
        (Policy::new().reject_missing(true), 1),
        (Policy::new().reject_invalid(true), 1),
    ] {
        let rocket = server::rocket().attach(Correlation::fairing().policy(policy));
        let rocket = rocket.ignite().await.unwrap();
        assert_eq!(rocket.routes().count(), routes);
    }
}
