//! The contract of all example services, run against this one.

use correlation_testkit::service::{self, ServiceGaps};

#[test]
fn conformance() {
    service::run(env!("CARGO_BIN_EXE_axum-service"), ServiceGaps::default());
}
