use std::collections::{BTreeMap, HashMap};
use std::process::Command;

use super::*;
use crate::policy::SPELLINGS;
use crate::{
    Context, Generator, NewTraces, OnMissing, Policy, TraceContext, Trust, current, detached,
    sync_scope,
};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

#[test]
fn nothing_is_sent_outside_of_a_scope() {
    inject_with(|key, _| panic!("{key} was sent"));
}

#[test]
fn what_is_sent_is_read_back() {
    let headers = [
        ("x-correlation-id", "click-1"),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
    ];
    let context = Policy::new()
        .receive(|| headers.map(|(n, v)| (n, v.as_bytes())), None)
        .unwrap();
    let mut sent = Vec::<(String, String)>::new();
    sync_scope(context, || inject(&mut sent));
    assert_eq!(sent, headers.map(|(n, v)| (n.to_owned(), v.to_owned())));
    assert_eq!(extract(&sent), Some(id("click-1")));
}

#[test]
fn maps_carry_the_id() {
    fn round_trip(mut carrier: impl Injector + Extractor) {
        sync_scope(id("click-1"), || inject(&mut carrier));
        assert_eq!(extract(&carrier), Some(id("click-1")));
    }
    round_trip(HashMap::<String, String>::new());
    round_trip(HashMap::<String, Vec<u8>>::new());
    round_trip(BTreeMap::<String, String>::new());
    round_trip(Vec::<(String, Vec<u8>)>::new());
}

/// As with lines of a header: no carrier lets the order decide who is believed.
#[test]
fn a_key_that_comes_twice_is_believed_if_it_says_the_same() {
    let list = |entries: &[(&str, &str)]| -> Vec<(String, String)> {
        let entries = entries.iter();
        entries
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let twice = |key, first, second| extract(&list(&[(key, first), (key, second)]));
    assert_eq!(
        twice("x-correlation-id", "click-1", "click-1").unwrap(),
        "click-1"
    );
    assert_eq!(twice("x-correlation-id", "click-1", "click-2"), None);
    assert_eq!(twice("traceparent", TRACE, TRACE), None);
    assert!(extract(&list(&[("traceparent", TRACE)])).is_some());
}

#[test]
fn what_the_caller_has_set_is_left_alone() {
    // A `tracestate` belongs to its own `traceparent`, so one of the two keeps both away.
    for (own, written) in [
        ("Traceparent", &["x-correlation-id"][..]),
        ("TraceState", &["x-correlation-id"]),
        ("X-Correlation-ID", &["traceparent", "tracestate"]),
    ] {
        let mut carrier = vec![(own.to_owned(), "own".to_owned())];
        sync_scope(full(TraceContext::Forward), || inject(&mut carrier));
        assert_eq!(carrier[0].1, "own");
        let keys: Vec<_> = carrier[1..].iter().map(|(key, _)| key).collect();
        assert_eq!(keys, written, "{own}");
    }
}

#[test]
fn every_spelling_is_read() {
    for key in SPELLINGS {
        let carrier = HashMap::from([(key.to_owned(), " click-1\t".to_owned())]);
        assert_eq!(extract(&carrier), Some(id("click-1")), "{key}");
    }
    let trace = HashMap::from([("traceparent".to_owned(), TRACE.to_owned())]);
    assert_eq!(
        extract(&trace),
        Some(id("4bf92f3577b34da6a3ce929d0e0e4736"))
    );
}

#[test]
fn hostile_values_are_dropped() {
    for bad in [
        &b""[..],
        b"a\r\nb",
        b"a' */ x",
        b"\xff\xfe",
        &[b'x'; 129],
        &[b'x'; 300],
    ] {
        let carrier = [("x-correlation-id", bad), ("X-Request-ID", b"next")];
        let get = |key: &str| carrier.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        assert_eq!(extract_with(get), Some(id("next")));
        assert_eq!(extract_with(|_| Some(bad)), None);
    }
}

#[tokio::test]
async fn a_message_brings_its_own_context() {
    let seen = sync_scope(id("outer"), || {
        continue_from(
            |key| (key == "X-Correlation-ID").then_some("inner"),
            async { current() },
        )
    });
    assert_eq!(seen.await, Some(id("inner")));
    let fresh = continue_from(|_| None::<&str>, async { current() })
        .await
        .unwrap();
    assert_eq!(fresh.as_str().len(), 36);
}

/// A context with everything a caller can send.
fn full(mode: TraceContext) -> Context {
    let headers = [
        ("x-correlation-id", "click-1"),
        ("traceparent", TRACE),
        ("tracestate", "a=1"),
    ];
    let policy = Policy::new().trace_context(mode);
    policy
        .receive(|| headers.map(|(n, v)| (n, v.as_bytes())), None)
        .unwrap()
}

fn sent() -> BTreeMap<String, String> {
    let mut sent = BTreeMap::new();
    inject(&mut sent);
    sent
}

#[test]
fn messages_obey_a_policy() {
    let message = |entries: &'static [(&str, &str)]| {
        move |key: &str| entries.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
    };
    let policy = Policy::new()
        .headers(["x-shop-id", "X-Request-ID"])
        .max_len(8)
        .validator(|id| id != "refused")
        .generator(Generator::hex())
        .on_missing(OnMissing::Reject);
    let read = |entries| policy.extract_with(message(entries)).id().to_string();
    assert_eq!(
        read(&[("x-shop-id", " shop-1 "), ("x-request-id", "r-1")]),
        "shop-1"
    );
    assert_eq!(
        read(&[("x-shop-id", "too-long-1"), ("X-Request-ID", "r-1")]),
        "r-1"
    );
    assert_eq!(
        read(&[("x-request-id", "refused"), ("X-Request-ID", "r-2")]),
        "r-2"
    );
    assert_eq!(read(&[("x-correlation-id", "unread")]).len(), 32);

    let never = Policy::new().trust(Trust::Never);
    let context = never.extract_with(message(&[("CORRELATION_ID", "click-1")]));
    assert_eq!(context.upstream_id(), Some(&id("click-1")));
    assert_ne!(context.id(), &"click-1");
}

/// A message is judged as a request with the same headers.
#[test]
fn a_policy_may_list_any_header() {
    for headers in [
        &["traceparent"][..],
        &["x-correlation-id", "traceparent"],
        &["x-own"],
    ] {
        let policy = Policy::new().headers(headers.iter().copied());
        for message in [("traceparent", TRACE), ("x-own", "click-1")] {
            let line = || [(message.0, message.1.as_bytes())];
            let request = policy.receive(line, None).unwrap();
            let context = policy.extract_with(|key| (key == message.0).then_some(message.1));
            assert_eq!(
                context.source(),
                request.source(),
                "{headers:?} {message:?}"
            );
            if context.source() != Source::Generated {
                assert_eq!(context.id(), request.id(), "{headers:?} {message:?}");
            }
        }
    }
}

#[test]
fn each_message_of_a_participant_has_a_parent_id_of_its_own() {
    let policy = Policy::new().trace_context(TraceContext::Participate(NewTraces::Sampled));
    let message = |key: &str| (key == "traceparent").then_some(TRACE);
    let (first, second) = sync_scope(policy.extract_with(message), || (sent(), sent()));
    assert_eq!(first["traceparent"][..36], TRACE[..36]);
    assert_ne!(first["traceparent"], TRACE);
    assert_ne!(first["traceparent"], second["traceparent"]);

    // Without one a trace begins, which both calls share.
    let none = policy.extract_with(|_| None::<&str>);
    let (first, second) = sync_scope(none, || (sent(), sent()));
    assert_eq!(first["traceparent"][..36], second["traceparent"][..36]);
}

#[tokio::test]
async fn a_message_goes_before_the_scope_it_is_read_in() {
    let policy = Policy::new();
    let seen = sync_scope(id("outer"), || {
        policy.continue_from(|_| Some("inner"), async { current() })
    });
    assert_eq!(seen.await, Some(id("inner")));
}

#[tokio::test]
async fn a_carried_value_brings_its_context() {
    let carried = sync_scope(full(TraceContext::Forward), || Carried::new(7));
    assert_eq!(
        (*carried.body(), carried.context().id().as_str()),
        (7, "click-1")
    );
    let handle = |body| {
        let called_in = current();
        async move { (body, called_in, current(), sent().len()) }
    };
    let expected = (7, Some(id("click-1")), Some(id("click-1")), 3);
    assert_eq!(
        sync_scope(id("other"), || carried.clone().run(handle)).await,
        expected
    );
    assert_eq!(
        carried.clone().run_sync(|body| (body, current())),
        (7, Some(id("click-1")))
    );
    assert_eq!(carried.into_body(), 7);
    assert_eq!(current(), None);
}

#[tokio::test]
async fn a_carried_value_without_a_context_keeps_the_id_it_gets() {
    let carried = detached(async { Carried::new(()) }).await;
    let first = carried.clone().run(|()| async { current() }).await;
    assert_eq!(first, carried.run_sync(|()| current()));
    assert!(first.is_some());
}

#[cfg(feature = "serde")]
#[test]
fn a_carried_value_travels_as_json() {
    let carried = sync_scope(full(TraceContext::Forward), || Carried::new("body"));
    let json = serde_json::to_string(&carried).unwrap();
    let expected = format!(
        r#"{{"correlation_id":"click-1","traceparent":"{TRACE}","tracestate":"a=1","body":"body"}}"#
    );
    assert_eq!(json, expected);
    let back: Carried<String> = serde_json::from_str(&json).unwrap();
    assert_eq!(back.body(), "body");
    assert_eq!(
        sync_scope(back.context().clone(), sent),
        sync_scope(carried.context().clone(), sent)
    );

    let plain = sync_scope(id("click-2"), || Carried::new(1));
    let json = serde_json::to_string(&plain).unwrap();
    assert_eq!(json, r#"{"correlation_id":"click-2","body":1}"#);
}

#[cfg(feature = "serde")]
#[test]
fn what_strangers_write_beside_a_carried_value_is_dropped() {
    let long = format!(r#""{}""#, "x".repeat(300));
    let hostile = [
        r#""""#,
        r#""a\r\nb""#,
        r#""a' */ x""#,
        r#""ä""#,
        &long,
        "null",
        "true",
        "-1",
        "1",
        "1.5",
        r#"["a",[1]]"#,
        r#"{"a":{"b":1}}"#,
    ];
    for value in hostile {
        let json = format!(
            r#"{{"correlation_id":{value},"traceparent":{value},"tracestate":{value},"body":1,"more":0}}"#
        );
        let read: Carried<u8> = serde_json::from_str(&json).expect(value);
        assert_eq!(read.context().id().as_str().len(), 36, "{value}");
        assert_eq!(sync_scope(read.context().clone(), sent).len(), 1, "{value}");
    }
    let bare: Carried<u8> = serde_json::from_str(r#"{"body":1}"#).unwrap();
    assert_eq!(bare.context().id().as_str().len(), 36);
    assert!(serde_json::from_str::<Carried<u8>>("{}").is_err());
}

/// This program as a child process that says what it reads.
fn command() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let test = "carrier::tests::the_child_says_what_it_reads";
    command.args(["--exact", test, "--nocapture"]);
    command.env("CORRELATION_CHILD", "1");
    command
}

fn said(command: &mut Command) -> String {
    let out = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let line = out.lines().find_map(|line| line.split_once("read: "));
    line.unwrap_or_else(|| panic!("{out}")).1.to_owned()
}

#[test]
fn the_child_says_what_it_reads() {
    if std::env::var_os("CORRELATION_CHILD").is_some() {
        let context = from_env();
        let source = context.source();
        sync_scope(context, || println!("read: {source} {:?}", sent()));
    }
}

#[test]
fn a_child_process_goes_on_with_the_id() {
    let mut with = command();
    sync_scope(full(TraceContext::Forward), || with.propagate());
    let expected = format!(
        r#"x-correlation-id {{"traceparent": "{TRACE}", "tracestate": "a=1", "x-correlation-id": "click-1"}}"#
    );
    assert_eq!(said(&mut with), expected);
    // The same command again, for somebody else: nothing of the first is left.
    sync_scope(id("click-2"), || with.propagate());
    assert_eq!(
        said(&mut with),
        r#"x-correlation-id {"x-correlation-id": "click-2"}"#
    );
    with.propagate();
    assert!(said(&mut with).starts_with("generated "));
}

#[test]
fn a_stale_variable_is_removed_and_a_hostile_one_dropped() {
    // A parent that was started with a variable, and starts a child with and without the line.
    let mut stale = command();
    stale
        .env("CORRELATION_ID", "stale")
        .env("TRACEPARENT", TRACE);
    assert!(said(&mut stale).contains("stale"));
    stale.propagate();
    assert!(said(&mut stale).starts_with("generated "));
    for hostile in ["", "a b", "a\r\nb", "a' */ x", &"x".repeat(300)] {
        let read = said(command().env("CORRELATION_ID", hostile));
        assert!(read.starts_with("generated "), "{hostile:?}: {read}");
    }
}

#[cfg(feature = "process")]
#[test]
fn tokios_command_carries_the_id_too() {
    let mut command = tokio::process::Command::new("true");
    sync_scope(id("click-1"), || command.propagate());
    let id = command
        .as_std()
        .get_envs()
        .find(|(name, _)| *name == "CORRELATION_ID");
    assert_eq!(id.unwrap().1.unwrap(), "click-1");
}
