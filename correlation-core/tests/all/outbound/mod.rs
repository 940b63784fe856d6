//! What is written to maps, whatever they hold already.

mod targets;

use std::collections::{BTreeMap, HashMap};

use correlation_core::adapter::Destination;

use correlation_core::{Context, Injector, Policy, Targets};
use correlation_testkit::client_cases::{CASES, Case};
use futures_util::FutureExt;

use crate::{TRACE, accepted};

#[test]
fn every_case_holds_in_every_map() {
    for case in CASES {
        check::<HashMap<String, String>>(case, |map, key, value| {
            map.insert(key.to_owned(), value.to_owned());
        });
        check::<HashMap<String, Vec<u8>>>(case, |map, key, value| {
            map.insert(key.to_owned(), value.into());
        });
        check::<BTreeMap<String, String>>(case, |map, key, value| {
            map.insert(key.to_owned(), value.to_owned());
        });
        check::<Vec<(String, String)>>(case, |list, key, value| {
            list.push((key.to_owned(), value.to_owned()));
        });
        #[cfg(feature = "http")]
        check::<http::HeaderMap>(case, |headers, key, value| {
            let name = http::HeaderName::from_bytes(key.as_bytes()).unwrap();
            headers.append(name, value.parse().unwrap());
        });
    }
}

fn check<C: Injector + Default>(case: &Case, set: fn(&mut C, &'static str, &str)) {
    let mut carrier = C::default();
    for (key, value) in case.set {
        set(&mut carrier, key, value);
    }
    // A map keeps one line of several, which may be that of a tracer.
    let is_trace = |(key, _): &&(&str, _)| key.eq_ignore_ascii_case("traceparent");
    if values(&carrier, "traceparent").len() < case.set.iter().filter(is_trace).count() {
        return;
    }
    let targets = case.targets(Targets::all());
    let context = case.context();
    let call = async {
        if let Some(context) = Context::current() {
            targets.inject(&context, Destination::default(), &mut carrier);
        }
    };
    case.run(&context, call).now_or_never().unwrap();
    case.check(&context, |name| values(&carrier, name));
}

/// The values under a key, in any case.
fn values(carrier: &impl Injector, key: &'static str) -> Vec<String> {
    let values = carrier.get_all(key);
    values
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect()
}

/// It is part of no value (RFC 9110, section 5.5), so the trace of a tracer stays.
#[test]
fn white_space_around_a_traceparent_does_not_count() {
    let inbound = [("x-correlation-id", "click-1"), ("traceparent", TRACE)];
    let span = format!(
        " {}\t",
        TRACE.replace("00f067aa0ba902b7", "b7ad6b7169203331")
    );
    let mut headers = vec![("traceparent".to_owned(), span.clone())];
    accepted(&Policy::new(), &inbound).inject(&mut headers);
    assert_eq!(values(&headers, "traceparent"), [span]);
}

/// A call that gets no ID for want of a host says so, and no other does.
#[cfg(feature = "tracing")]
#[test]
fn a_call_without_a_host_is_logged_once() {
    let restricted = Targets::hosts(["orders.internal"]);
    let nowhere = Destination::default();
    let evil = Destination {
        host: Some("evil.test"),
        ..nowhere
    };
    let ((), log) = crate::logged(|| {
        assert!(!restricted.allows(nowhere));
        correlation_core::sync_scope(crate::id("click-1"), || {
            assert!(!restricted.allows(evil));
            assert!(!restricted.allows(nowhere));
            assert!(Targets::all().allows(nowhere));
            let connected = restricted.clone().connected_to("orders.internal");
            assert!(connected.allows(nowhere));
        });
    });
    let [line] = log.lines().collect::<Vec<_>>()[..] else {
        panic!("one line: {log}");
    };
    let told = line.contains("DEBUG correlation: ") && line.contains("connected_to");
    assert!(told, "{line}");
}
