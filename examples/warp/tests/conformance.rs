//! The contract of all example services, run against this one.

use correlation_testkit::Gaps;
use correlation_testkit::service::{self, ServiceGaps};

#[test]
fn conformance() {
    let gaps = ServiceGaps {
        adapter: Gaps {
            panic_closes_connection: true,
            ..Gaps::default()
        },
        ..ServiceGaps::default()
    };
    service::run(env!("CARGO_BIN_EXE_warp-service"), gaps);
}
