//! Maps, messages, values and processes that carry the ID, out and in.

use std::collections::{BTreeMap, HashMap};
use std::process::Command;

use correlation_core::{
    Carried, Context, CorrelationId, Extractor, Generator, Injector, Policy, TraceContext, Trust,
    continue_from, current, detached, extract, extract_with, from_env, inject, inject_with,
    propagate_to, sync_scope,
};

use crate::{CID, TRACE, TRACE_ID, accepted, brought, id, seen, sent, values};

#[test]
fn nothing_is_sent_outside_of_a_scope() {
    inject_with(|key, _| panic!("{key} was sent"));
}

#[test]
fn what_is_sent_is_read_back() {
    let context = full();
    let sent = sent(&context);
    assert_eq!(sent, ALL.map(|(n, v)| (n.to_owned(), v.to_owned())));
    assert_eq!(extract(&sent).id(), context.id());
}

#[test]
fn maps_carry_the_id() {
    fn round_trip(mut carrier: impl Injector) {
        sync_scope(id("click-1"), || inject(&mut carrier));
        assert_eq!(extract(&carrier).id(), &"click-1");
    }
    round_trip(HashMap::<String, String>::new());
    round_trip(HashMap::<String, Vec<u8>>::new());
    round_trip(BTreeMap::<String, String>::new());
    round_trip(Vec::<(String, Vec<u8>)>::new());
}

/// As with lines of a header: no carrier lets the order decide who is believed.
#[test]
fn a_key_that_comes_twice_is_believed_if_it_says_the_same() {
    let list = |entries: &[(&str, &str)]| brought(&extract(&entries.to_vec()));
    let twice = |key, first, second| list(&[(key, first), (key, second)]);
    assert_eq!(twice(CID, "click-1", "click-1").unwrap(), "click-1");
    assert_eq!(twice(CID, "click-1", "click-2"), None);
    assert_eq!(twice("traceparent", TRACE, TRACE), None);
    let spelled = |first, second| {
        let entries = [("X-Correlation-Id", first), (CID, second)];
        let map = brought(&extract(&HashMap::from(entries)));
        assert_eq!(map, brought(&extract(&BTreeMap::from(entries))));
        assert_eq!(map, list(&entries));
        map
    };
    assert_eq!(spelled("click-1", " click-1").unwrap(), "click-1");
    assert_eq!(spelled("click-1", "click-2"), None);
    let trace = ("traceparent", TRACE);
    assert_eq!(list(&[("TraceParent", TRACE), trace]), None);
    assert_eq!(list(&[trace]).as_deref(), Some(TRACE_ID));
}

#[test]
fn a_map_is_read_whatever_the_case_of_its_keys() {
    for key in [
        "X-CORRELATION-ID",
        "x-Correlation-id",
        "CORRELATIONID",
        "X-REQUEST-ID",
    ] {
        let hashed = extract(&HashMap::from([(key, "click-1")]));
        assert_eq!(hashed.id(), &"click-1", "{key}");
        let sorted = extract(&BTreeMap::from([(key, b"click-1")]));
        assert_eq!(sorted.id(), &"click-1", "{key}");
    }
    let traced = extract(&vec![("TRACEPARENT".to_owned(), TRACE)]);
    assert_eq!(traced.id(), &TRACE_ID);
}

proptest::proptest! {
    /// Whatever the keys and values: no panic, and nothing that is no ID.
    #[test]
    fn any_message_is_read(
        keys in proptest::collection::vec("(?i)x-correlation-id|correlation[-_]?id|traceparent|.{0,9}", 0..6),
        values in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..300), 6),
        texts in proptest::collection::vec("[a-z0-9,= \t-]{0,60}", 6),
    ) {
        let bytes: Vec<_> = keys.iter().zip(&values).collect();
        let text: Vec<_> = keys.iter().zip(&texts).collect();
        for context in [
            extract_with(|key| bytes.get_all(key)),
            extract_with(|key| text.get_all(key)),
        ] {
            let again: CorrelationId = context.id().as_str().parse().unwrap();
            proptest::prop_assert_eq!(&again, context.id());
        }
    }
}

/// What Go (nats.go, OpenTelemetry, New Relic), .NET, Java and others write.
#[test]
fn every_spelling_is_read() {
    let asked = |key, value| brought(&extract_with(|asked| (asked == key).then_some(value)));
    let others = ["x-request-id", "X-Request-ID", "X-Request-Id"];
    for key in SPELLINGS.into_iter().chain(others) {
        let id = asked(key, " click-1\t");
        assert_eq!(id.as_deref(), Some("click-1"), "{key}");
    }
    for key in ["traceparent", "Traceparent", "TRACEPARENT"] {
        assert_eq!(asked(key, TRACE).as_deref(), Some(TRACE_ID), "{key}");
    }
    // Reply keys are no headers.
    for key in [
        "kafka_correlationId",
        "NServiceBus.CorrelationId",
        "messageId",
    ] {
        assert_eq!(asked(key, "click-1"), None, "{key}");
    }
}

#[test]
fn the_order_of_spellings_decides_between_two_ids() {
    for (at, first) in SPELLINGS.into_iter().enumerate() {
        let value = |key: &str| {
            let key = SPELLINGS.into_iter().position(|known| known == key)?;
            (key >= at).then_some(if key == at { "first" } else { "later" })
        };
        assert_eq!(extract_with(value).id(), &"first", "{first}");
        // One that is no ID, or two that differ, is passed over.
        for bad in [&["a b"][..], &["a", "b"]] {
            let value = |key: &str| if key == first { bad } else { &["next"] };
            assert_eq!(extract_with(value).id(), &"next", "{first}: {bad:?}");
        }
    }
    let policy = Policy::new().headers(["X-Shop-ID"]);
    for key in ["x-shop-id", "X-Shop-Id", "X-Shop-ID"] {
        let context = policy.extract_with(|asked| (asked == key).then_some("shop-1"));
        assert_eq!(context.id(), &"shop-1", "{key}");
    }
}

#[test]
fn a_trace_is_read_in_the_spelling_of_go() {
    let message = [("Traceparent", TRACE), ("Tracestate", "a=1")];
    let context = extract_with(|key| message.iter().find(|(k, _)| *k == key).map(|(_, v)| v));
    assert_eq!(values(&sent(&context), "tracestate"), ["a=1"]);
}

#[test]
fn what_any_writer_writes_is_read() {
    let longest = id(&"x".repeat(255));
    let mut headers = HashMap::<String, String>::new();
    Context::from(longest.clone()).inject(&mut headers);
    assert_eq!(extract(&headers).id(), &longest);
    assert_eq!(extract_with(|key| headers.get(key)).id(), &longest);
    assert_eq!(brought(&extract_with(|_| Some("x".repeat(256)))), None);
    // A policy keeps its own bound.
    let strict = Policy::new().extract_with(|_| Some("x".repeat(129)));
    assert_eq!(strict.id().as_str().len(), 36);
}

#[test]
fn hostile_values_are_dropped() {
    for bad in [
        &b""[..],
        b"a\r\nb",
        b"a' */ x",
        b"\xff\xfe",
        &[b'x'; 256],
        &[b'x'; 300],
    ] {
        let carrier = [(CID, bad), ("X-Request-ID", b"next")];
        let get = |key: &str| carrier.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        assert_eq!(extract_with(get).id(), &"next");
        assert_eq!(brought(&extract_with(|_| Some(bad))), None);
    }
}

#[tokio::test]
async fn a_message_brings_its_own_context() {
    let message = |key: &str| (key == "X-Correlation-ID").then_some("inner");
    let inner = sync_scope(id("outer"), || {
        let by_policy = Policy::new().continue_from(message, async { seen() });
        (continue_from(message, async { seen() }), by_policy)
    });
    assert_eq!(
        (inner.0.await, inner.1.await),
        ("inner".into(), "inner".into())
    );
    let fresh = continue_from(|_| None::<&str>, async { seen() }).await;
    assert_eq!(fresh.len(), 36);
}

/// Everything a caller can send.
const ALL: [(&str, &str); 3] = [
    (CID, "click-1"),
    ("traceparent", TRACE),
    ("tracestate", "a=1"),
];

fn full() -> Context {
    accepted(&Policy::new(), &ALL)
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
        .reject_missing(true);
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

    let never = Policy::new().trust(Trust::never());
    let context = never.extract_with(message(&[("CORRELATION_ID", "click-1")]));
    assert_eq!(context.untrusted_id(), Some(&id("click-1")));
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
            let request = accepted(&policy, &[message]);
            let context = policy.extract_with(|key| (key == message.0).then_some(message.1));
            let both = [&context, &request].map(|context| (context.origin(), brought(context)));
            assert_eq!(both[0], both[1], "{headers:?} {message:?}");
        }
    }
}

#[test]
fn each_message_of_a_participant_has_a_parent_id_of_its_own() {
    let policy = Policy::new().trace_context(TraceContext::Participate { sampled: true });
    let message = |key: &str| (key == "traceparent").then_some(TRACE);
    let calls =
        |context: &Context| [(); 2].map(|()| values(&sent(context), "traceparent")[0].to_owned());
    let [first, second] = calls(&policy.extract_with(message));
    assert_eq!(first[..36], TRACE[..36]);
    assert!(first != TRACE && first != second);

    // Without one a trace begins, which both calls share.
    let [first, second] = calls(&policy.extract_with(|_| None::<&str>));
    assert_eq!(first[..36], second[..36]);
}

#[tokio::test]
async fn a_carried_value_brings_its_context() {
    let carried = sync_scope(full(), || Carried::new(7));
    assert_eq!((carried.body, sent(&carried.context)), (7, sent(&full())));
    let handle = |body| {
        let called_in = seen();
        async move { (body, called_in, seen()) }
    };
    let run = sync_scope(id("other"), || carried.clone().run(handle));
    assert_eq!(run.await, (7, "click-1".into(), "click-1".into()));
    let run = carried.clone().run_sync(|body| (body, seen()));
    assert_eq!(run, (7, "click-1".into()));
    assert_eq!(carried.body, 7);
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
    let carried = sync_scope(full(), || Carried::new("body"));
    let json = serde_json::to_string(&carried).unwrap();
    let expected = format!(
        r#"{{"correlation_id":"click-1","traceparent":"{TRACE}","tracestate":"a=1","body":"body"}}"#
    );
    assert_eq!(json, expected);
    let back: Carried<String> = serde_json::from_str(&json).unwrap();
    assert_eq!(back.body, "body");
    assert_eq!(sent(&back.context), sent(&carried.context));

    let plain = sync_scope(id("click-2"), || Carried::new(1));
    let json = serde_json::to_string(&plain).unwrap();
    assert_eq!(json, r#"{"correlation_id":"click-2","body":1}"#);
}

/// This program as a child process that says what it reads.
fn command() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let test = "carriers::the_child_says_what_it_reads";
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
        println!("read: {} {:?}", context.origin(), sent(&context));
    }
}

#[test]
fn a_child_process_goes_on_with_the_id() {
    let mut with = command();
    sync_scope(full(), || propagate_to(&mut with));
    assert_eq!(said(&mut with), format!("{CID} {ALL:?}"));
    // The same command again, for somebody else: nothing of the first is left.
    sync_scope(id("click-2"), || propagate_to(&mut with));
    assert_eq!(said(&mut with), format!("{CID} {:?}", [(CID, "click-2")]));
    propagate_to(&mut with);
    assert!(said(&mut with).starts_with("generated "));
}

#[test]
fn a_stale_variable_is_removed_and_a_hostile_one_dropped() {
    let longest = "x".repeat(255);
    let read = said(command().env("CORRELATION_ID", &longest));
    assert!(read.contains(&longest), "{read}");
    // A parent that was started with a variable, and starts a child with and without the line.
    let mut stale = command();
    stale
        .env("CORRELATION_ID", "stale")
        .env("TRACEPARENT", TRACE);
    assert!(said(&mut stale).contains("stale"));
    propagate_to(&mut stale);
    assert!(said(&mut stale).starts_with("generated "));
    for hostile in ["", "a b", "a\r\nb", "a' */ x", &"x".repeat(300)] {
        let read = said(command().env("CORRELATION_ID", hostile));
        assert!(read.starts_with("generated "), "{hostile:?}: {read}");
    }
}

/// How programs spell the key of the ID, in the order in which a message is asked.
const SPELLINGS: [&str; 11] = [
    CID,
    "X-Correlation-ID",
    "X-Correlation-Id",
    "correlation-id",
    "Correlation-ID",
    "Correlation-Id",
    "CORRELATION_ID",
    "correlation_id",
    "x_correlation_id",
    "correlationId",
    "CorrelationId",
];
