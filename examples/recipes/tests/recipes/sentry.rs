use std::panic::catch_unwind;
use std::thread;

use correlation_core::{bind, sync_scope};
use sentry::protocol::Event;
use sentry::test::with_captured_events;
use sentry::{Hub, Level};

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
            // Threads get the hub of the main one; a test is in none, so it hands over its own.
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
