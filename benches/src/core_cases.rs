//! IDs, headers and the ambient context.

use std::future::Future as _;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context as TaskContext, Waker};

use correlation_core::http::lines;
use correlation_core::{Context, CorrelationId, Generator, Policy, current, scope, sync_scope};
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::Case;

pub(crate) fn all() -> Vec<Case> {
    let id = CorrelationId::new();
    let value = HeaderValue::from(&id);
    let absent = headers(None);
    let present = headers(Some(&id));
    let invalid = headers(None).tap(|headers| {
        headers.insert("x-correlation-id", HeaderValue::from_static("not valid"));
    });
    let (policy, policy2, policy3) = (Policy::new(), Policy::new(), Policy::new());
    let text = id.to_string();
    let scoped = id.clone();
    let mut cases = vec![
        Case::new("id/new", CorrelationId::new),
        Case::new("id/new, uuid_v7", || Generator::uuid_v7().generate()),
        Case::new("id/new to a header value", || {
            HeaderValue::from(CorrelationId::new())
        }),
        Case::new("id/new to a header value, tower-http's way", || {
            HeaderValue::from_str(&Uuid::new_v4().to_string())
        }),
        Case::new("id/parse 36 bytes", move || text.parse::<CorrelationId>()),
        Case::new("id/clone", {
            let id = id.clone();
            move || id.clone()
        }),
        Case::new("header value/clone", move || value.clone()),
        Case::new("policy/receive, absent, 8 headers", move || {
            policy.receive(|| lines(&absent), None).is_ok()
        }),
        Case::new("policy/receive, present, 8 headers", move || {
            policy2.receive(|| lines(&present), None).is_ok()
        }),
        Case::new("policy/receive, invalid, 8 headers", move || {
            policy3.receive(|| lines(&invalid), None).is_ok()
        }),
        Case::new("ambient/current, in a scope", {
            let context = Context::new(id.clone());
            move || {
                sync_scope(context.clone(), || {
                    for _ in 0..10 {
                        black_box(current());
                    }
                });
            }
        }),
        Case::new("ambient/sync_scope", {
            let context = Context::new(id.clone());
            move || sync_scope(context.clone(), || ())
        }),
        Case::new("ambient/current, outside", current),
        Case::new("ambient/scope, made, 10 polls, dropped", move || {
            let mut future = pin!(scope(scoped.clone(), std::future::pending::<()>()));
            let mut cx = TaskContext::from_waker(Waker::noop());
            for _ in 0..10 {
                let _ = black_box(future.as_mut().poll(&mut cx));
            }
        }),
    ];
    cases.extend([3, 8, 20].into_iter().flat_map(by_number_of_headers));
    cases
}

/// One pass over all headers, as the policy does it, and what the other way would cost.
fn by_number_of_headers(number: usize) -> [Case; 2] {
    let name = |what: &str| -> &'static str { format!("headers/{what}, of {number}").leak() };
    let mut headers = HeaderMap::new();
    for name in USUAL.into_iter().take(number) {
        headers.insert(name, HeaderValue::from_static(VALUE));
    }
    let same = headers.clone();
    let policy = Policy::new();
    let names = ["traceparent", "x-correlation-id", "x-request-id"].map(HeaderName::from_static);
    [
        Case::new(name("receive, absent"), move || {
            correlation_core::http::receive(&policy, &headers, None)
        }),
        Case::new(name("3 look-ups of prepared names"), move || {
            let lines = names.iter().map(|name| same.get_all(name).iter().count());
            lines.sum::<usize>()
        }),
    ]
}

/// As a browser behind a proxy sends them.
pub(crate) fn headers(id: Option<&CorrelationId>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in USUAL.into_iter().take(7) {
        headers.insert(name, HeaderValue::from_static(VALUE));
    }
    if let Some(id) = id {
        headers.insert("x-correlation-id", id.into());
    }
    headers
}

trait Tap: Sized {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for HeaderMap {}

const USUAL: [&str; 20] = [
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "accept-language",
    "x-forwarded-for",
    "cookie",
    "x-forwarded-proto",
    "x-real-ip",
    "referer",
    "cache-control",
    "pragma",
    "dnt",
    "te",
    "upgrade-insecure-requests",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
];
const VALUE: &str = "some value of a usual length";
