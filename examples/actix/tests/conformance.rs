//! The contract of all example services, run against this one.

use correlation_testkit::service::{self, ServiceGaps};

#[test]
fn conformance() {
    let gaps = ServiceGaps {
        // Its access log.
        info_records: &["127.0.0.1 \"GET /log"],
        debug_records: &["127.0.0.1 \"GET /log"],
        ..ServiceGaps::default()
    };
    service::run(env!("CARGO_BIN_EXE_actix-service"), gaps);
}
