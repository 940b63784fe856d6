//! The contract of all example services, run against this one.

use correlation_testkit::Gaps;
use correlation_testkit::service::{self, ServiceGaps};

#[test]
fn conformance() {
    let gaps = ServiceGaps {
        adapter: Gaps {
            wrong_method_is_404: true,
            bad_query_is_422: true,
            drops_non_utf8_headers: true,
            ..Gaps::default()
        },
        info_records: &["GET /log", "Matched", "Outcome", "Response succeeded"],
        debug_records: &[
            "GET /log",
            "Matched",
            "Outcome",
            "Response succeeded",
            "sending response",
        ],
        // Before any fairing.
        early_records: &["received request"],
        // The first two, or the last one, if nothing is left to do by the time it looks.
        shutdown_records: &[
            "Shutdown requested",
            "Graceful shutdown",
            "Server shutdown nominally",
        ],
        ..ServiceGaps::default()
    };
    service::run(env!("CARGO_BIN_EXE_rocket-service"), gaps);
}
