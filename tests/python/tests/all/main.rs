//! Rust and `FastAPI` services as processes, in either order: one ID in the logs of all.
//!
//! `CORRELATION_REQUIRE_SERVICES=1 cargo test -p python-chain`

#![cfg(unix)]

mod logs;
mod started;

use std::collections::HashMap;
use std::path::PathBuf;

use correlation_testkit::services;
use correlation_testkit::{TRACE, TRACE_ID};
use futures_util::future::join_all;
use reqwest::Client;

use logs::check;
use started::{Chain, Hops, ask};

const UUID: &str = "0b7a6c1e-58a1-4c5e-9d4f-2b1c8e7a9f10";
const NGINX: &str = "7f3a9c0d1e2b4a5f8c7d6e5f4a3b2c1d";

/// What comes in, and the ID that is expected; none: a new one, whichever.
const INBOUND: [(&str, &str, Option<&str>); 7] = [
    ("x-other", "nothing of interest", None),
    ("x-correlation-id", UUID, Some(UUID)),
    ("x-correlation-id", NGINX, Some(NGINX)),
    ("x-correlation-id", "click-1", Some("click-1")),
    (
        "x-correlation-id",
        "7F000001:8296_0A69@x/y=#",
        Some("7F000001:8296_0A69@x/y=#"),
    ),
    ("x-correlation-id", "not; valid", None),
    (
        "x-correlation-id",
        "{0b7a6c1e58a14c5e9d4f2b1c8e7a9f10}",
        None,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn one_id_in_all_logs_in_both_directions() {
    let Some(python) = python() else {
        return;
    };
    let chain = Chain::start(&python);
    let client = Client::new();
    let mut asked = HashMap::new();
    let mut ask_one = async |hops: Hops, header: (&str, &str)| {
        let purchase = format!("purchase-{:03}", asked.len());
        let ids = ask(&client, chain.url(hops), &purchase, header).await;
        let id = same(&ids, hops.count());
        asked.insert(purchase, (hops, id.clone()));
        id
    };

    for hops in [Hops::FromRust, Hops::FromPython] {
        for (name, value, expected) in INBOUND {
            let id = ask_one(hops, (name, value)).await;
            match expected {
                Some(expected) => assert_eq!(id, expected, "{hops:?} {name}"),
                None => assert_ne!(id, value, "{hops:?}"),
            }
        }
    }
    // A header that Rust reads as its second choice, and Python, as set up, does not.
    let id = ask_one(Hops::FromRust, ("x-request-id", "click-2")).await;
    assert_eq!(id, "click-2");
    // Rust takes the trace-id when there is no ID, and Python keeps it. Python at the front does
    // not look at it: it makes an ID, and that one is everywhere.
    let id = ask_one(Hops::FromRust, ("traceparent", TRACE)).await;
    assert_eq!(id, TRACE_ID);
    let id = ask_one(Hops::FromPython, ("traceparent", TRACE)).await;
    assert_ne!(id, TRACE_ID);

    // 50 at once at each end, every other one with an ID of its own.
    let calls = (0..100).map(|n| {
        let hops = [Hops::FromRust, Hops::FromPython][n % 2];
        let own = format!("user-{n}");
        let name = ["x-correlation-id", "x-other"][n / 2 % 2];
        let (client, url) = (&client, chain.url(hops));
        async move {
            let purchase = format!("at-once-{n:03}");
            let ids = ask(client, url, &purchase, (name, &own)).await;
            let id = same(&ids, hops.count());
            assert_eq!(id == own, name == "x-correlation-id");
            (purchase, (hops, id))
        }
    });
    asked.extend(join_all(calls).await);

    let ids: Vec<_> = asked.values().map(|(_, id)| id).collect();
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    // The fixed ones came twice: once at each end.
    assert_eq!(distinct.len(), 2 * INBOUND.len() - 4 + 3 + 100);

    let logs = chain.end();
    for (purchase, (hops, id)) in &asked {
        check(&logs, purchase, *hops, id);
    }
}

/// The Python of all tests.
fn python() -> Option<PathBuf> {
    services::python_and(env!("CARGO_TARGET_TMPDIR"), &[])
}

/// All services of the chain answered with the same ID, and the response header had it.
#[track_caller]
fn same(ids: &[String], services: usize) -> String {
    assert_eq!(ids.len(), services + 1, "{ids:?}");
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    ids[0].clone()
}

/// What the README says of the middleware's own settings: where they split the chain.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_middleware_that_break_the_chain() {
    let Some(python) = python() else {
        return;
    };
    let client = Client::new();
    let own_name = r#"{"header_name": "X-Correlation-ID"}"#;
    let no_validator = r#"{"header_name": "X-Correlation-ID", "validator": null}"#;
    for (settings, kept, replaced) in [
        // It listens for X-Request-ID, which nobody sends.
        ("{}", &[][..], &[UUID, NGINX, TRACE_ID, "click-1"][..]),
        // It takes UUIDs only, in any of their forms.
        (
            own_name,
            &[UUID, NGINX, TRACE_ID],
            &["click-1", "7F00:82_0A"],
        ),
        (no_validator, &[UUID, NGINX, "click-1", "7F00:82_0A"], &[]),
    ] {
        let chain = Chain::with_settings(&python, settings);
        for (n, (id, whole)) in [(kept, true), (replaced, false)]
            .into_iter()
            .flat_map(|(ids, whole)| ids.iter().map(move |id| (*id, whole)))
            .enumerate()
        {
            let url = chain.url(Hops::FromRust);
            let header = ("x-correlation-id", id);
            let ids = ask(&client, url, &format!("purchase-{n}"), header).await;
            let [answer, axum, fastapi, actix] = &ids[..] else {
                panic!("{ids:?}");
            };
            assert_eq!((&**answer, &**axum), (id, id), "{settings}");
            assert_eq!(fastapi == id, whole, "{settings} {ids:?}");
            // Ours goes on with what Python made of it: X-Request-ID is read as well.
            assert_eq!(actix, fastapi, "{settings}");
        }
        // And it is sent on, whatever it is called: Python at the front is no problem.
        let url = chain.url(Hops::FromPython);
        let ids = ask(&client, url, "from-python", ("x-other", "")).await;
        assert_eq!(ids[1], ids[2], "{settings} {ids:?}");

        // `uuid_length: 32`, from the middleware's README, cuts what is logged.
        if settings == own_name {
            let logs = chain.end();
            let cut = format!(" correlation_id={}", &UUID[..32]);
            assert!(logs.back.iter().any(|line| line.ends_with(&cut)));
            assert!(!logs.back.iter().any(|line| line.contains(UUID)));
        }
    }
}
