use std::panic::catch_unwind;
use std::sync::Arc;
use std::{env, thread};

use correlation_core::{bind, sync_scope};
use correlation_testkit::process;
use sentry::protocol::Event;
use sentry::test::{TestTransport, with_captured_events};
use sentry::{ClientOptions, Hub, Level};

use crate::id;

fn tag<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    event.tags.get("correlation_id").map(String::as_str)
}

#[test]
fn every_event_of_a_request_has_the_tag() {
    let events = with_captured_events(|| {
        recipes::sentry::install();
        sentry::capture_message("outside", Level::Error);
        sync_scope(id(), || {
            sentry::capture_message("inside", Level::Error);
            sentry::capture_error(&std::io::Error::other("out of stock"));
            // Threads get a copy of the main one's hub. Here is no main one: see `child`.
            let hub = Hub::current();
            let capture = bind(|| sentry::capture_message("in a thread", Level::Error));
            thread::spawn(move || Hub::run(hub, capture))
                .join()
                .unwrap();
        });
    });
    let tags: Vec<_> = events.iter().map(tag).collect();
    let id = Some("click-7");
    assert_eq!(tags, [None, id, id, id]);
}

#[test]
fn a_tag_that_is_there_stays() {
    let events = with_captured_events(|| {
        recipes::sentry::install();
        sync_scope(id(), || {
            sentry::with_scope(
                |scope| scope.set_tag("correlation_id", "own"),
                || sentry::capture_message("inside", Level::Error),
            );
        });
    });
    assert_eq!(tag(&events[0]), Some("own"));
}

#[test]
fn without_it_there_is_no_tag() {
    let events = with_captured_events(|| {
        sync_scope(id(), || sentry::capture_message("inside", Level::Error));
    });
    assert_eq!(tag(&events[0]), None);
}

#[test]
fn what_is_captured_while_a_panic_is_on_its_way_has_it() {
    struct Report;
    impl Drop for Report {
        fn drop(&mut self) {
            sentry::capture_message("unwinding", Level::Fatal);
        }
    }
    let events = with_captured_events(|| {
        recipes::sentry::install();
        let request = || {
            sync_scope(id(), || {
                let _report = Report;
                panic!("out of stock");
            });
        };
        assert!(catch_unwind(request).is_err());
    });
    assert_eq!(tag(&events[0]), Some("click-7"));
}

/// As it is in a service: one installation for all threads of the process.
#[test]
fn installed_once_it_is_there_in_threads_that_start_later() {
    let mut child = process::test_alone("sentry::child");
    process::run(child.env(CHILD, "1")).unwrap();
}

#[test]
fn child() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let transport = TestTransport::new();
    let mut options = ClientOptions::new().dsn("https://public@sentry.invalid/1");
    options.transport = Some(Arc::new(transport.clone()));
    let _guard = sentry::init(options);
    recipes::sentry::install();

    let capture = || sentry::capture_message("in a thread", Level::Error);
    let request = sync_scope(id(), || bind(capture));
    thread::spawn(request).join().unwrap();
    thread::spawn(capture).join().unwrap();
    let events = transport.fetch_and_clear_events();
    let tags: Vec<_> = events.iter().map(tag).collect();
    assert_eq!(tags, [Some("click-7"), None]);
}

const CHILD: &str = "CHILD_OF_THE_SENTRY_TEST";
