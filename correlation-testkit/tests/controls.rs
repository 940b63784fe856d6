//! The contract can be kept; and each check fails on a server with the fault that it is for. A
//! check that passes there would pass on anything.

mod reference;

use correlation_core::Policy;
use correlation_testkit::checks::concurrency::{self, Load};
use correlation_testkit::checks::{
    access, bodies, connection, disconnect, headers, outcomes, reject, rules, smuggled,
};
use correlation_testkit::{Adapter, Report};
use reference::{Fault, Reference};

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_can_be_kept() {
    correlation_testkit::run(&Reference(Fault::None)).await;
}

/// One thread, so that it is concurrency alone that mixes the IDs: a request that runs by itself
/// reads its own.
#[tokio::test]
async fn a_thread_local_fails_under_concurrency_and_only_there() {
    let addr = Reference(Fault::ThreadLocal).start(Policy::new());
    bodies::check(addr).await.assert_passed("one by one");
    connection::check(addr).await.assert_passed("one by one");

    let load = Load {
        rounds: 1,
        ..Load::FULL
    };
    let report = concurrency::http1(addr, load).await;
    let reads = load.clients * 2 * load.reads;
    let wrong = report.failures().len();
    assert!(
        wrong > reads / 2,
        "only {wrong} of {reads} reads were wrong"
    );
    assert_eq!(report.compared(), reads + load.clients * 2);
}

#[tokio::test]
async fn too_few_reads_fail() {
    let addr = Reference(Fault::FewReads).start(Policy::new());
    let load = Load {
        clients: 2,
        ..Load::FULL
    };
    for report in [
        concurrency::http1(addr, load).await,
        concurrency::pipelined(addr, load).await,
    ] {
        let [failure] = report.failures() else {
            panic!("want one failure, got {report:?}");
        };
        assert!(failure.contains("compared"), "{failure}");
    }
}

#[tokio::test]
async fn the_table_finds_wrong_choices() {
    for (fault, at_least, on) in [
        (Fault::Echo, 200, "forbidden byte"),
        (Fault::Generate, 200, "allowed byte"),
        (Fault::FirstLine, 20, "twice"),
        (Fault::OneSource, 20, "request ID"),
        (Fault::OnlySuccess, 200, "/no-such-path"),
    ] {
        let report = rules::check(&Reference(fault)).await;
        found(fault, &report, at_least, on);
    }
}

#[tokio::test]
async fn lost_headers_are_found() {
    let report = headers::check(&Reference(Fault::Append)).await;
    found(Fault::Append, &report, 1, "/own");
    let report = headers::check(&Reference(Fault::Expose)).await;
    found(Fault::Expose, &report, 1, "/own");
    found(Fault::Expose, &report, 1, "/opaque");

    let adapter = Reference(Fault::OnlySuccess);
    let addr = adapter.start(Policy::new());
    let report = outcomes::check(addr, &adapter.gaps()).await;
    found(Fault::OnlySuccess, &report, 10, "/panic");
}

#[tokio::test]
async fn lines_that_no_sender_may_write_are_found() {
    let addr = Reference(Fault::Lenient).start(Policy::new());
    let report = smuggled::check(addr).await;
    found(Fault::Lenient, &report, 3, "\\r\\n b");
}

#[tokio::test]
async fn silence_is_found() {
    let report = reject::check(&Reference(Fault::Silent)).await;
    found(Fault::Silent, &report, 12, "body");
    let report = access::check(&Reference(Fault::Unfinished)).await;
    found(Fault::Unfinished, &report, 3, "client_gone");
}

#[tokio::test]
async fn lost_scopes_are_found() {
    let adapter = Reference(Fault::BodyOutside);
    let addr = adapter.start(Policy::new());
    found(adapter.0, &bodies::check(addr).await, 2, "/stream");
    let report = concurrency::pipelined(addr, Load::FULL).await;
    found(adapter.0, &report, 50, "/stream");
    let report = disconnect::check(addr, &adapter.gaps()).await;
    found(adapter.0, &report, 10, "/hang-stream");

    let adapter = Reference(Fault::DropOutside);
    let addr = adapter.start(Policy::new());
    let report = disconnect::check(addr, &adapter.gaps()).await;
    found(adapter.0, &report, 10, "/hang");
}

/// A gap is a claim too: an adapter that has overcome it must not keep it.
#[tokio::test]
async fn a_gap_that_is_closed_fails() {
    let adapter = Reference(Fault::None);
    let addr = adapter.start(Policy::new());

    let mut gaps = adapter.gaps();
    gaps.panic_closes_connection = true;
    gaps.no_header_on_unmatched = true;
    gaps.wrong_method_is_404 = true;
    gaps.bad_query_is_422 = true;
    let report = outcomes::check(addr, &gaps).await;
    for part in ["/panic", "/no-such-path", "POST /id", "steps=many"] {
        found(adapter.0, &report, 1, part);
    }

    let mut gaps = adapter.gaps();
    gaps.handler_not_cancelled = true;
    let report = disconnect::check(addr, &gaps).await;
    found(adapter.0, &report, 10, "cancelled: true");
}

/// There are so many failures, and one of them is about that.
fn found(fault: Fault, report: &Report, at_least: usize, on: &str) {
    let failures = report.failures();
    assert!(failures.len() >= at_least, "{fault:?}: only {failures:#?}");
    assert!(
        failures.iter().any(|line| line.contains(on)),
        "{fault:?}: {on} not in {failures:#?}"
    );
}
