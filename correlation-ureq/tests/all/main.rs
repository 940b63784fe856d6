//! What ureq sends, as read from the socket.

use std::thread;

use correlation_core::{Targets, bind, sync_scope};
use correlation_testkit::client_contract::{self, Client, Redirects, Takes};
use correlation_testkit::{Recorder, id};
use correlation_ureq::{Propagate, Propagator};
use futures_util::FutureExt;
use ureq::http::{Request, Response};
use ureq::middleware::MiddlewareNext;
use ureq::{Agent, Body, Error, SendBody};

fn get(agent: &Agent, url: &str) -> Response<Body> {
    sync_scope(id("click-1"), || agent.get(url).call()).unwrap()
}

/// The contract that all clients share.
impl Client for Sync {
    const TAKES: Takes = Takes::Sent;
    const REDIRECTS: Redirects = Redirects::Never;

    type Request = (Agent, Request<()>);

    fn new(targets: Targets) -> Self {
        let config = Agent::config_builder().propagate_to(targets);
        Self(config.build().into())
    }

    fn begin(&self, url: &str, lines: &[(&'static str, &'static str)]) -> Self::Request {
        let mut request = Request::get(url);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        (self.0.clone(), request.body(()).unwrap())
    }

    fn again(request: &Self::Request) -> Self::Request {
        request.clone()
    }

    async fn send((agent, request): Self::Request) -> Result<u16, client_contract::Error> {
        Ok(agent.run(request)?.status().as_u16())
    }
}

struct Sync(Agent);

#[test]
fn contract() {
    let all = client_contract::run::<Sync>();
    assert!(all.now_or_never().is_some(), "nothing waits");
    client_contract::run_on_threads::<Sync>(|call| call.now_or_never().expect("nothing waits"));
}

#[test]
fn the_id_is_the_one_of_the_call() {
    let server = Recorder::ok();
    // Neither the agent nor the request takes it before.
    let (agent, request) = sync_scope(id("click-1"), || {
        let agent: Agent = Agent::config_builder().propagate().build().into();
        let request = agent.get(&server.url());
        (agent, request)
    });
    request.call().unwrap();
    let url = server.url();
    let call = sync_scope(id("click-2"), || bind(move || agent.get(&url).call()));
    thread::spawn(call).join().unwrap().unwrap();
    assert_eq!(server.ids(), ["-", "click-2"]);
}

#[test]
fn a_redirect_that_is_not_followed_is_the_answer() {
    let server = Recorder::redirect(302, "http://localhost/elsewhere");
    let Sync(agent) = Sync::new(Targets::hosts(["127.0.0.1"]));
    let response = get(&agent, &server.url());
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], "http://localhost/elsewhere");
}

#[test]
fn no_setting_of_the_user_opens_the_way_out() {
    let stranger = Recorder::ok();
    let server = Recorder::redirect(302, stranger.other_url());
    let agent: Agent = Agent::config_builder()
        .propagate_to(Targets::hosts(["127.0.0.1"]))
        .max_redirects(5)
        .max_redirects_will_error(true)
        .http_status_as_error(true)
        .build()
        .into();
    let request = agent.post(&server.url()).config().max_redirects(3).build();
    let response = sync_scope(id("click-1"), || request.send("three")).unwrap();
    assert_eq!(response.status(), 302);
    let request = Request::post(server.url()).body("three").unwrap();
    let request = agent.configure_request(request).max_redirects(3).build();
    let response = sync_scope(id("click-1"), || agent.run(request)).unwrap();
    assert_eq!(response.status(), 302);
    // What the user has set does not go further either, where there is no ID of ours.
    let request = agent.get(&server.url()).header("x-correlation-id", "own");
    assert_eq!(request.call().unwrap().status(), 302);
    assert_eq!(server.ids(), ["click-1", "click-1", "own"]);
    assert_eq!(server.calls()[1].body, b"three");
    assert!(stranger.calls().is_empty());
}

#[test]
fn other_settings_of_the_user_stay() {
    let server = Recorder::start(|_| "404 Not Found".to_owned());
    let agent: Agent = Agent::config_builder()
        .user_agent("shop")
        .http_status_as_error(false)
        .propagate_to(Targets::hosts(["127.0.0.1"]))
        .build()
        .into();
    assert_eq!(get(&agent, &server.url()).status(), 404);
    let request = agent.get(&server.url()).config();
    let request = request.http_status_as_error(true).build();
    assert!(matches!(request.call(), Err(Error::StatusCode(404))));
    for request in server.calls() {
        assert_eq!(request.values("user-agent"), ["shop"]);
    }
}

/// A middleware that forgets what ureq has put into the request.
fn anew(request: Request<SendBody<'_>>, next: MiddlewareNext<'_>) -> Result<Response<Body>, Error> {
    let (mut parts, body) = request.into_parts();
    parts.extensions.clear();
    next.handle(Request::from_parts(parts, body))
}

#[test]
fn no_id_is_sent_where_redirects_cannot_be_stopped() {
    let stranger = Recorder::ok();
    let server = Recorder::redirect(302, stranger.other_url());
    let agent: Agent = Agent::config_builder()
        .middleware(anew)
        .propagate_to(Targets::hosts(["127.0.0.1"]))
        .build()
        .into();
    get(&agent, &server.url());
    assert_eq!([server.ids(), stranger.ids()], [["-"], ["-"]]);
}

#[test]
fn the_middleware_by_hand_is_the_same() {
    let server = Recorder::ok();
    let config = Agent::config_builder().middleware(Propagator::default());
    get(&config.build().into(), &server.url());
    assert_eq!(server.ids(), ["click-1"]);
}
