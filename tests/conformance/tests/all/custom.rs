//! hyper and core, with no adapter.

use correlation_testkit::Gaps;
use correlation_testkit::service::{self, ServiceGaps};

#[test]
fn process() {
    let gaps = ServiceGaps {
        adapter: Gaps {
            no_websocket: true,
            ..Gaps::default()
        },
        ..ServiceGaps::default()
    };
    service::run(env!("CARGO_BIN_EXE_custom-service"), gaps);
}
