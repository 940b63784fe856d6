//! The clients that Rocket has for tests: no connection, and no task per request.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use correlation_rocket::correlation::testing::LogCapture;
use correlation_rocket::correlation::{Policy, Trust, current};
use correlation_rocket::{Correlate, Correlation};
use correlation_testkit::CORRELATION_ID;
use correlation_testkit::app;
use rocket::futures::future::join_all;
use rocket::http::Header;
use rocket::local::{asynchronous, blocking};
use rocket::tokio::task::yield_now;
use rocket::{Build, Rocket, Route, get, routes};

use crate::server;

fn rocket() -> Rocket<Build> {
    server::app().attach(Correlation::fairing())
}

fn id(id: &str) -> Header<'static> {
    Header::new(CORRELATION_ID, id.to_owned())
}

#[test]
fn responses_that_live_at_once_read_their_own() {
    let client = blocking::Client::untracked(rocket()).unwrap();
    let get = |path| client.get(path);
    let first = get("/stream?chunks=2").header(id("r-1")).dispatch();
    let second = get("/stream?chunks=2").header(id("r-2")).dispatch();
    assert_eq!(current(), None);
    let third = get("/id").header(id("r-3")).dispatch();
    assert_eq!(third.into_string().as_deref(), Some("r-3"));
    assert_eq!(first.into_string().as_deref(), Some("r-1\nr-1\n"));
    assert_eq!(current(), None);
    assert_eq!(second.into_string().as_deref(), Some("r-2\nr-2\n"));
    assert_eq!(get("/panic").dispatch().status().code, 500);
    assert_eq!(current(), None);
}

/// The task is the key, so it must not be asked while a body is read.
#[tokio::test]
async fn a_body_reads_its_own_while_the_task_serves_another() {
    let in_task = async {
        let client = asynchronous::Client::untracked(rocket()).await.unwrap();
        let first = client.get("/stream?chunks=2").header(id("r-1"));
        let first = first.dispatch().await;
        let second = client.get("/sleepy?steps=5&ms=9").header(id("r-2"));
        let (first, second) = tokio::join!(first.into_string(), second.dispatch());
        assert_eq!(first.as_deref(), Some("r-1\nr-1\n"));
        // The entry of a response goes with the response.
        assert_eq!(current().unwrap(), "r-2");
        let second = second.into_string().await.unwrap();
        assert_eq!(second.matches("r-2").count(), 5);
        assert_eq!(current(), None);
    };
    tokio::spawn(in_task).await.unwrap();
}

#[rocket::async_test]
async fn a_request_that_is_cloned_gets_a_new_id_each_time() {
    let client = asynchronous::Client::untracked(rocket()).await.unwrap();
    let request = client.get("/id");
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let response = request.clone().dispatch().await;
        let header = response
            .headers()
            .get_one(CORRELATION_ID)
            .map(str::to_owned);
        assert_eq!(response.into_string().await, header);
        ids.insert(header);
    }
    assert_eq!(ids.len(), 3);
}

#[get("/reads")]
async fn reads() -> String {
    let mut reads = String::new();
    for _ in 0..5 {
        yield_now().await;
        reads += &format!("{} ", app::id());
    }
    reads
}

/// What 20 requests read that run at once in one task, and their own IDs.
async fn at_once(routes: Vec<Route>) -> Vec<(String, String)> {
    let rocket = server::rocket().mount("/", routes);
    let rocket = rocket.attach(Correlation::fairing());
    let client = asynchronous::Client::untracked(rocket).await.unwrap();
    let requests = (0..20).map(|n| {
        let own = format!("r-{n}");
        let request = client.get("/reads").header(id(&own));
        async {
            let response = request.dispatch().await;
            assert_eq!(response.headers().get_one(CORRELATION_ID), Some(&*own));
            (response.into_string().await.unwrap(), own)
        }
    });
    let reads = join_all(requests).await;
    let each = |(reads, own): (String, String)| -> Vec<_> {
        let reads = reads.split_whitespace();
        reads.map(|read| (read.to_owned(), own.clone())).collect()
    };
    reads.into_iter().flat_map(each).collect()
}

#[rocket::async_test]
async fn at_once_in_one_task_nothing_is_read_rather_than_another() {
    let reads = at_once(routes![reads]).await;
    assert_eq!(reads.len(), 100);
    assert!(
        reads
            .iter()
            .all(|(read, own)| read == own || read == "none")
    );
    assert!(reads.iter().any(|(read, _)| read == "none"));
}

#[rocket::async_test]
async fn at_once_in_one_task_correlated_routes_read_their_own() {
    let reads = at_once(routes![reads].correlated()).await;
    assert_eq!(reads.len(), 100);
    for (read, own) in reads {
        assert_eq!(read, own);
    }
}

#[rocket::async_test]
async fn the_connection_decides_on_trust_not_a_header() {
    let trusted = Trust::when(|caller| caller.addr().is_some_and(|addr| addr.is_loopback()));
    let policy = Policy::new().trust(trusted);
    let rocket = server::app().attach(Correlation::fairing().policy(policy));
    let client = asynchronous::Client::untracked(rocket).await.unwrap();
    for (remote, trusted) in [("127.0.0.1:9", true), ("192.0.2.1:9", false)] {
        let remote: SocketAddr = remote.parse().unwrap();
        for header in ["127.0.0.1", "192.0.2.1"] {
            let request = client.get("/id").header(id("c-1")).remote(remote);
            let request = request.header(Header::new("X-Real-IP", header));
            let text = request.dispatch().await.into_string().await.unwrap();
            assert_eq!(text == "c-1", trusted, "{remote} {header}");
        }
    }
}

/// It has no address, and no server that could provide one.
#[rocket::async_test]
async fn a_local_request_is_in_no_network_and_not_warned_about() {
    let policy = Policy::new().trust(Trust::networks(["0.0.0.0/0", "::/0"]));
    let rocket = server::app().attach(Correlation::fairing().policy(policy));
    let client = asynchronous::Client::untracked(rocket).await.unwrap();
    let log = LogCapture::start();
    let response = client.get("/id").header(id("c-1")).dispatch().await;
    assert_ne!(response.into_string().await.unwrap(), "c-1");
    let own = log.lines().into_iter();
    let own = own.filter(|line| line.target == "correlation");
    let own: Vec<_> = own.map(|line| line.message).collect();
    assert_eq!(own, ["caller's ID is not trusted"]);
}
