//! What ureq sends, as read from the socket.

use std::thread;

use correlation_core::{Context, CorrelationId, Policy, Targets, bind, sync_scope};
use correlation_testkit::Recorder;
use correlation_ureq::{Propagate, Propagator};
use ureq::http::{Request, Response};
use ureq::middleware::MiddlewareNext;
use ureq::{Agent, Body, Error, SendBody};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn agent() -> Agent {
    Agent::config_builder().propagate().build().into()
}

/// An agent that sends the ID to this server only.
fn agent_for(server: &Recorder) -> Agent {
    let target = format!("127.0.0.1:{}", server.port());
    let config = Agent::config_builder().propagate_to(Targets::hosts([target]));
    config.build().into()
}

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

/// The context of a request that came in with an ID and a trace.
fn traced() -> Context {
    let headers = [
        ("x-correlation-id", "click-1"),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
    ];
    let lines = headers.map(|(name, value)| (name, value.as_bytes()));
    Policy::new().receive(|| lines, None).unwrap()
}

fn sent(id: &str) -> Option<String> {
    Some(id.to_owned())
}

fn get(agent: &Agent, url: &str) -> Response<Body> {
    sync_scope(id("click-1"), || agent.get(url).call()).unwrap()
}

#[test]
fn the_id_and_the_trace_context_are_sent_once() {
    let server = Recorder::ok();
    sync_scope(traced(), || agent().get(&server.url()).call()).unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.values("x-correlation-id"), ["click-1"]);
    assert_eq!(request.values("traceparent"), [TRACE]);
    assert_eq!(request.values("tracestate"), ["a=1"]);
}

#[test]
fn the_id_is_the_one_of_the_call() {
    let server = Recorder::ok();
    // Neither the agent nor the request takes it before.
    let (agent, request) = sync_scope(id("click-1"), || {
        let agent = agent();
        let request = agent.get(&server.url());
        (agent, request)
    });
    request.call().unwrap();
    let url = server.url();
    let call = sync_scope(id("click-2"), || bind(move || agent.get(&url).call()));
    thread::spawn(call).join().unwrap().unwrap();
    assert_eq!(server.ids(), [None, sent("click-2")]);
}

#[test]
fn no_call_has_the_id_of_another() {
    let server = Recorder::two_hops();
    let agent = agent();
    thread::scope(|threads| {
        for call in 0..200 {
            let url = format!("{}first/{call}", server.url());
            let agent = &agent;
            let own = id(&format!("click-{call}"));
            threads.spawn(move || {
                let response = sync_scope(own, || agent.get(&url).call());
                assert_eq!(response.unwrap().status(), 200);
            });
        }
    });
    server.assert_none_crossed(200);
}

#[test]
fn a_header_of_the_call_is_left_alone() {
    let server = Recorder::ok();
    let request = agent()
        .get(&server.url())
        .header("X-Correlation-ID", "mine");
    sync_scope(id("click-1"), || request.call()).unwrap();
    assert_eq!(server.ids(), [sent("mine")]);
}

#[test]
fn the_id_is_sent_under_another_name_too_if_asked() {
    let server = Recorder::ok();
    let targets = Targets::hosts(["127.0.0.1"]).also_as("X-Request-ID");
    let agent: Agent = Agent::config_builder().propagate_to(targets).build().into();
    get(&agent, &server.url());
    get(&agent, &server.other_url());
    let [own, other] = server.requests().try_into().unwrap();
    assert_eq!(own.values("x-request-id"), ["click-1"]);
    assert_eq!(other.values("x-request-id"), [""; 0]);
    assert_eq!(server.ids(), [sent("click-1"), None]);
}

#[test]
fn strangers_get_no_id() {
    let server = Recorder::ok();
    let other = Recorder::ok();
    let agent = agent_for(&server);
    for url in [
        server.url(),
        server.other_url(),
        other.url(),
        other.url().replace("//", "//127.0.0.1@"),
    ] {
        get(&agent, &url);
    }
    assert_eq!(server.ids(), [sent("click-1"), None]);
    assert_eq!(other.ids(), [None, None]);
}

/// The control: this is what happens to all targets, and what the other tests would miss.
#[test]
fn by_itself_ureq_carries_the_id_anywhere() {
    let stranger = Recorder::ok();
    let server = Recorder::redirect(302, stranger.other_url());
    get(&agent(), &server.url());
    assert_eq!(server.ids(), [sent("click-1")]);
    assert_eq!(stranger.ids(), [sent("click-1")]);
}

#[test]
fn no_redirect_of_a_target_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let stranger = Recorder::ok();
        for location in [
            stranger.other_url(),
            stranger.url(),
            stranger.url().replace("http:", ""),
        ] {
            let server = Recorder::redirect(status, &location);
            let response = get(&agent_for(&server), &server.url());
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()["location"], location.as_str());
            assert_eq!(server.ids(), [sent("click-1")]);
        }
        assert!(stranger.requests().is_empty(), "nobody called {stranger:?}");
    }
}

#[test]
fn no_setting_of_the_user_opens_the_way_out() {
    let stranger = Recorder::ok();
    let server = Recorder::redirect(302, stranger.other_url());
    let targets = Targets::hosts(["127.0.0.1"]);
    let agent: Agent = Agent::config_builder()
        .propagate_to(targets)
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
    assert_eq!(server.ids(), [sent("click-1"), sent("click-1")]);
    assert_eq!(server.requests()[1].body, b"three");
    assert!(stranger.requests().is_empty());
}

#[test]
fn other_settings_of_the_user_stay() {
    let server = Recorder::start(|_| "404 Not Found\r\n".to_owned());
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
    for request in server.requests() {
        assert_eq!(request.values("user-agent"), ["shop"]);
    }
}

#[test]
fn among_strangers_redirects_are_followed_without_the_id() {
    let target = Recorder::ok();
    let second = Recorder::redirect(302, target.url());
    let first = Recorder::redirect(302, second.url());
    let response = get(&agent_for(&target), &first.other_url());
    assert_eq!(response.status(), 200);
    for server in [first, second, target] {
        assert_eq!(server.ids(), [None]);
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
    assert_eq!(server.ids(), [None]);
    assert_eq!(stranger.ids(), [None]);
}

#[test]
fn the_middleware_by_hand_is_the_same() {
    let server = Recorder::ok();
    let config = Agent::config_builder().middleware(Propagator::default());
    get(&config.build().into(), &server.url());
    assert_eq!(server.ids(), [sent("click-1")]);
}
