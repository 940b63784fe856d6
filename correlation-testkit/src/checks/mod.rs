//! The requirements of the contract beyond the choice of an ID. Each check returns a [`Report`], so
//! that control tests can show that it finds faults.

pub mod access;
pub mod bodies;
pub mod concurrency;
pub mod connection;
pub mod disconnect;
pub mod headers;
pub mod outcomes;
pub mod reject;
pub mod rules;
pub mod smuggled;
pub mod spawned;
pub mod websocket;

use crate::cases::Shape;
use crate::{CORRELATION_ID, Report, Response};

/// The shape of an ID that the default policy makes.
pub(crate) const FRESH: Shape = Shape::Uuid('4');

/// Returns a request header with an ID.
pub(crate) fn sent(id: &str) -> [(&'static str, &str); 1] {
    [(CORRELATION_ID, id)]
}

/// Checks that the response carries this ID exactly once.
pub(crate) fn carries(report: &mut Report, what: &str, response: &Response, id: &str) {
    report.equal(
        format_args!("{what}: x-correlation-id"),
        response.ids(),
        [id],
    );
}

/// Checks that the response carries a new ID exactly once, and returns that ID.
pub(crate) fn carries_fresh(report: &mut Report, what: &str, response: &Response) -> String {
    let ids = response.ids();
    let fresh = matches!(&ids[..], [id] if FRESH.matches(id));
    report.holds(fresh, || {
        format!("{what}: want one new x-correlation-id, got {ids:?}")
    });
    ids.first().map_or_else(String::new, ToString::to_string)
}
