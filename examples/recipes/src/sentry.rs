//! The ID as a tag of every Sentry event.

use correlation_core::current;
use sentry::protocol::Event;

/// Call it once at the start, in the main thread, after `sentry::init`.
pub fn install() {
    sentry::configure_scope(|scope| {
        scope.add_event_processor(correlate);
    });
}

/// It is called where the event is captured, so the ID is the one of the request.
fn correlate(mut event: Event<'static>) -> Option<Event<'static>> {
    if let Some(id) = current() {
        let tag = event.tags.entry("correlation_id".to_owned());
        tag.or_insert_with(|| id.into());
    }
    Some(event)
}
