use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::{Policy, current, sync_scope};

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

#[test]
fn what_the_caller_has_set_is_left_alone() {
    let mut carrier = HashMap::from([("Traceparent".to_owned(), "own".to_owned())]);
    let headers = [("traceparent", TRACE), ("tracestate", "a=1")];
    let context = Policy::new()
        .receive(|| headers.map(|(n, v)| (n, v.as_bytes())), None)
        .unwrap();
    sync_scope(context, || inject(&mut carrier));
    assert_eq!(carrier.len(), 2);
    assert_eq!(
        carrier["x-correlation-id"],
        "4bf92f3577b34da6a3ce929d0e0e4736"
    );
}

#[test]
fn every_spelling_is_read() {
    for (key, _) in ID_KEYS {
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
