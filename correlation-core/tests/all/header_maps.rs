//! `HeaderMap` of `http`, as a carrier and in responses.

use correlation_core::adapter::http::{ResponseHeaders, receive};
use correlation_core::{Policy, Targets, extract};
use http::{HeaderMap, HeaderValue};

use crate::{CID, TRACE, TRACE_ID, brought, id};

#[test]
fn a_header_map_carries_the_id() {
    let mut headers = HeaderMap::new();
    correlation_core::Context::from(id("click-1")).inject(&mut headers);
    assert_eq!(headers["X-Correlation-ID"], "click-1");
    assert_eq!(extract(&headers).id(), &"click-1");
    headers.append(CID, HeaderValue::from_static("click-2"));
    assert_eq!(brought(&extract(&headers)), None);

    let mut headers = HeaderMap::new();
    headers.append("traceparent", HeaderValue::from_static(TRACE));
    assert_eq!(extract(&headers).id(), &TRACE_ID);
    headers.append("traceparent", HeaderValue::from_static(TRACE));
    assert_eq!(brought(&extract(&headers)), None);
}

#[test]
fn the_value_of_a_response_is_the_id() {
    let policy = Policy::new();
    for (came, id) in [
        (&[" click-1\t"][..], Some("click-1")),
        (&["click-1"], Some("click-1")),
        (&["a, a"], Some("a")),
        (&["a", "a"], Some("a")),
        (&["not valid"], None),
        (&[], None),
    ] {
        let mut headers = HeaderMap::new();
        for line in came {
            headers.append(CID, HeaderValue::from_static(line));
        }
        let (decision, value) = receive(&policy, &headers, None);
        assert_eq!(value, decision.context().id().as_str(), "{came:?}");
        assert_eq!(brought(decision.context()).as_deref(), id, "{came:?}");
    }
}

#[test]
fn the_host_of_a_uri_is_what_counts() {
    let targets = Targets::hosts(["orders.internal:8080", "[::1]"]);
    let allows = |targets: &Targets, uri: &str| targets.allows(&uri.parse::<http::Uri>().unwrap());
    for yes in [
        "http://orders.internal:8080/a",
        "http://me:secret@orders.internal:8080",
        "https://[::1]/",
    ] {
        assert!(allows(&targets, yes), "{yes}");
    }
    for no in [
        "http://orders.internal/",
        "http://orders.internal:8080@evil.test/",
        "http://evil.test:8080/?orders.internal:8080",
        "http://evil.test/orders.internal:8080",
        "/orders.internal:8080",
        "*",
    ] {
        assert!(!allows(&targets, no), "{no}");
    }
    assert!(allows(&targets.connected_to("orders.internal:8080"), "/a"));
}

#[test]
fn a_response_has_the_id_once() {
    const EXPOSE: &str = "access-control-expose-headers";
    let prepared = ResponseHeaders::new(&Policy::new().expose_to_browsers(true));
    let mut headers = HeaderMap::new();
    for (name, value) in [(CID, "a"), (CID, "b"), (EXPOSE, "etag")] {
        headers.append(name, HeaderValue::from_static(value));
    }
    prepared.set(id("click-1"), &mut headers);
    let ids: Vec<_> = headers.get_all(CID).iter().collect();
    assert_eq!(ids, ["click-1"]);
    assert_eq!(headers[EXPOSE], "etag, x-correlation-id");

    headers.insert(EXPOSE, HeaderValue::from_bytes(b"caf\xe9").unwrap());
    for _ in 0..2 {
        prepared.set(id("click-1"), &mut headers);
        let exposed = headers.get_all(EXPOSE).iter();
        let exposed: Vec<_> = exposed.map(HeaderValue::as_bytes).collect();
        assert_eq!(exposed, [&b"caf\xe9"[..], CID.as_bytes()]);
    }

    let silent = ResponseHeaders::new(&Policy::new().without_response_header());
    let mut headers = HeaderMap::new();
    silent.set(id("click-1"), &mut headers);
    assert!(headers.is_empty());
}
