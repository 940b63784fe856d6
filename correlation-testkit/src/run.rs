//! Runs the whole contract.

use correlation_core::Policy;

use crate::checks::concurrency::{self, Load};
use crate::checks::{
    access, bodies, connection, disconnect, headers, outcomes, reject, rules, smuggled, spawned,
    websocket,
};
use crate::{Adapter, Report};

/// Runs the whole contract, and panics with every failure.
///
/// # Panics
///
/// If the adapter breaks the contract.
pub async fn run<A: Adapter>(adapter: &A) {
    check(adapter).await.assert_passed(A::NAME);
}

/// Runs the whole contract.
pub async fn check(adapter: &impl Adapter) -> Report {
    let gaps = adapter.gaps();
    let mut report = rules::check(adapter).await;
    report.merge(headers::check(adapter).await);
    report.merge(reject::check(adapter).await);
    report.merge(access::check(adapter).await);

    let addr = adapter.start(Policy::new());
    report.merge(outcomes::check(addr, &gaps).await);
    report.merge(bodies::check(addr).await);
    report.merge(spawned::check(addr).await);
    report.merge(websocket::check(addr, &gaps).await);
    report.merge(connection::check(addr).await);
    report.merge(smuggled::check(addr).await);
    report.merge(disconnect::check(addr, &gaps).await);
    report.merge(concurrency::http1(addr, Load::FULL).await);
    report.merge(concurrency::pipelined(addr, Load::FULL).await);
    report.merge(concurrency::http2(addr, &gaps, Load::FULL).await);
    report
}
