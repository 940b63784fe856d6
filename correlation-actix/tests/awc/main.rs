//! What `awc` sends, as read from the socket.

mod redirect;

use std::future::Future;

use actix_web::rt;
use awc::Client;
use awc::http::header::{HeaderName, HeaderValue};
use correlation_actix::{
    Context, CorrelationId, InCurrent, NewTraces, Policy, Propagate, Targets, TraceContext, scope,
    sync_scope,
};
use correlation_testkit::Recorder;
use futures_util::future::join_all;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn client() -> Client {
    Client::builder().wrap(Propagate::new()).finish()
}

/// A client that sends the ID to this server only.
fn client_for(server: &Recorder) -> Client {
    let target = format!("127.0.0.1:{}", server.port());
    let propagate = Propagate::new().targets(Targets::hosts([target]));
    Client::builder().wrap(propagate).finish()
}

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

fn sent(id: &str) -> Option<String> {
    Some(id.to_owned())
}

/// The context of a request that came in with an ID and a trace.
fn traced(mode: TraceContext) -> Context {
    let headers = [
        ("x-correlation-id", "click-1"),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
    ];
    let lines = headers.map(|(name, value)| (name, value.as_bytes()));
    let policy = Policy::new().trace_context(mode);
    policy.receive(|| lines, None).unwrap()
}

fn in_scope<F: Future>(future: F) -> impl Future<Output = F::Output> {
    scope(id("click-1"), future)
}

#[actix_web::test]
async fn the_id_is_the_one_of_the_call() {
    let server = Recorder::ok();
    let client = client();
    // Begun in one scope, sent in another, awaited in a third.
    let request = sync_scope(id("click-1"), || client.get(server.url()));
    let response = sync_scope(id("click-2"), || request.send());
    scope(id("click-3"), response).await.unwrap();
    client.get(server.url()).send().await.unwrap();
    assert_eq!(server.ids(), [sent("click-2"), None]);
}

#[actix_web::test]
async fn a_task_of_its_own_has_the_id_that_it_was_given() {
    let server = Recorder::ok();
    let client = client();
    let url = server.url();
    let call = async move { client.get(url).send().await.map(drop) };
    let task = sync_scope(id("click-1"), || rt::spawn(call.in_current()));
    task.await.unwrap().unwrap();
    assert_eq!(server.ids(), [sent("click-1")]);
}

#[actix_web::test]
async fn the_trace_context_is_sent_as_the_policy_says() {
    let server = Recorder::ok();
    let client = client();
    for mode in [
        TraceContext::Off,
        TraceContext::Forward,
        TraceContext::Participate(NewTraces::Unsampled),
    ] {
        let call = async { client.get(server.url()).send().await };
        scope(traced(mode), call).await.unwrap();
    }
    let [off, forward, participate] = server.requests().try_into().unwrap();
    assert_eq!(off.values("traceparent"), [""; 0]);
    assert_eq!(forward.values("traceparent"), [TRACE]);
    assert_eq!(forward.values("tracestate"), ["a=1"]);
    let [parent] = participate.values("traceparent")[..] else {
        panic!("one traceparent: {participate:?}");
    };
    assert_eq!(parent[..36], TRACE[..36], "the same trace");
    assert_ne!(parent, TRACE, "another parent");
    assert_eq!(participate.values("tracestate"), ["a=1"]);
}

#[actix_web::test]
async fn a_header_of_the_call_is_left_alone() {
    let server = Recorder::ok();
    let request = client()
        .get(server.url())
        .insert_header(("X-Correlation-ID", "mine"))
        .insert_header(("Traceparent", "own"));
    let call = async { request.send().await };
    scope(traced(TraceContext::Forward), call).await.unwrap();
    assert_eq!(server.ids(), [sent("mine")]);
    assert_eq!(server.requests()[0].values("traceparent"), ["own"]);
    assert_eq!(server.requests()[0].values("tracestate"), [""; 0]);
}

#[actix_web::test]
async fn the_id_is_sent_under_another_name_too_if_asked() {
    let server = Recorder::ok();
    let targets = Targets::hosts(["127.0.0.1"]).also_as("X-Request-ID");
    let client = Client::builder()
        .wrap(Propagate::new().targets(targets))
        .finish();
    for url in [server.url(), server.other_url()] {
        in_scope(async { client.get(url).send().await })
            .await
            .unwrap();
    }
    let [own, other] = server.requests().try_into().unwrap();
    assert_eq!(own.values("x-request-id"), ["click-1"]);
    assert_eq!(other.values("x-request-id"), [""; 0]);
    assert_eq!(server.ids(), [sent("click-1"), None]);
}

#[actix_web::test]
async fn a_frozen_request_has_the_id_of_each_call() {
    let server = Recorder::ok();
    let frozen = client().get(server.url()).freeze().unwrap();
    for text in ["click-1", "click-2"] {
        let call = async { frozen.send_body("three").await };
        scope(id(text), call).await.unwrap();
    }
    frozen.send().await.unwrap();
    assert_eq!(server.ids(), [sent("click-1"), sent("click-2"), None]);
    assert_eq!(server.requests()[1].body, b"three");
}

#[actix_web::test]
async fn headers_of_a_frozen_request_are_left_alone() {
    let server = Recorder::ok();
    let name = HeaderName::from_static("x-correlation-id");
    let plain = client().get(server.url()).freeze().unwrap();
    let mine = client()
        .get(server.url())
        .insert_header((name.clone(), "mine"))
        .freeze()
        .unwrap();
    let extra = (name, HeaderValue::from_static("extra"));
    in_scope(async {
        mine.send().await.unwrap();
        mine.extra_header(extra.clone()).send().await.unwrap();
        plain.extra_header(extra).send().await.unwrap();
        plain.extra_header(("a", "b")).send().await.unwrap();
    })
    .await;
    let expected = ["mine", "extra", "extra", "click-1"].map(sent);
    assert_eq!(server.ids(), expected);
    assert_eq!(server.requests()[3].values("a"), ["b"]);
}

#[actix_web::test]
async fn a_web_socket_is_opened_with_the_id() {
    let server = Recorder::ok();
    let client = client_for(&server);
    in_scope(async {
        for url in [server.url(), server.other_url()] {
            // The server answers 200, so the socket stays closed.
            let url = url.replace("http:", "ws:");
            assert!(client.ws(url).connect().await.is_err());
        }
        let mine = client
            .ws(server.url())
            .set_header("x-correlation-id", "mine");
        assert!(mine.connect().await.is_err());
    })
    .await;
    assert_eq!(server.requests()[0].values("upgrade"), ["websocket"]);
    assert_eq!(server.ids(), [sent("click-1"), None, sent("mine")]);
}

#[actix_web::test]
async fn no_call_has_the_id_of_another() {
    let server = Recorder::two_hops();
    let client = client();
    let calls = (0..200).map(|call| {
        let request = client.get(format!("{}first/{call}", server.url()));
        let send = async move { request.send().await.map(|response| response.status()) };
        rt::spawn(scope(id(&format!("click-{call}")), send))
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    server.assert_none_crossed(200);
}

/// All calls in one task: what a redirect leaves for its next hop is found by that hop alone.
#[actix_web::test]
async fn no_call_of_one_task_has_the_id_of_another() {
    let server = Recorder::two_hops();
    let client = client();
    let calls = (0..200).map(|call| {
        let request = client.get(format!("{}first/{call}", server.url()));
        sync_scope(id(&format!("click-{call}")), || request.send())
    });
    let responses = scope(id("click-other"), join_all(calls)).await;
    assert!(responses.into_iter().all(|response| response.is_ok()));
    server.assert_none_crossed(200);
}

#[actix_web::test]
async fn strangers_get_no_id() {
    let server = Recorder::ok();
    let other = Recorder::ok();
    let client = client_for(&server);
    in_scope(async {
        for url in [server.url(), server.other_url(), other.url()] {
            client.get(url).send().await.unwrap();
        }
    })
    .await;
    assert_eq!(server.ids(), [sent("click-1"), None]);
    assert_eq!(other.ids(), [None]);
}

#[actix_web::test]
async fn a_call_that_fails_is_an_error_as_ever() {
    in_scope(async {
        assert!(client().get("http://127.0.0.1:1/").send().await.is_err());
        assert!(client().get("/no/host").send().await.is_err());
    })
    .await;
}
