//! The same contract for a process: a service in any language.
//!
//! The tests call it over its sockets, and check its answers, its log and its end. A test passes
//! the binary:
//!
//! ```no_run
//! use correlation_testkit::service::{self, ServiceGaps};
//!
//! service::run("/path/to/own-service", ServiceGaps::default());
//! ```
//!
//! The service reads its configuration from the environment: `LISTEN`, `DOWNSTREAM`, `TRUST`,
//! `TRACE_CONTEXT` (`off`, `forward` or `participate`), `LOG_FORMAT`, `RUST_LOG`. It prints
//! `listening on ADDRESS` once, to standard error. It writes its log to standard output, with one
//! line for each record. The report of a panic goes to standard error. [`Adapter`](crate::Adapter)
//! lists its endpoints.

mod calls;
mod config;
mod endpoints;
mod logs;
mod panics;
mod participate;
mod process;
mod quickstart;
pub mod records;
mod relay;
mod shutdown;
mod stub;
mod vectors;

pub use process::{Output, Service, run_to_end};
pub use quickstart::quickstart;

use std::io;

use correlation_core::TraceContext;

use crate::checks::concurrency::{self, Load};
use crate::checks::{bodies, connection, outcomes, rules, smuggled, spawned, websocket};
use crate::{Gaps, Report, cases};
use participate::Participant;
use stub::Stub;

/// The differences of a service that come from its framework. As with [`Gaps`], each difference is
/// required.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceGaps {
    /// The gaps of the adapter.
    pub adapter: Gaps,
    /// The framework's records of each request at level `info`: the starts of their messages.
    pub info_records: &'static [&'static str],
    /// The same at level `debug`, including those of `info`.
    pub debug_records: &'static [&'static str],
    /// The framework's records of each request at level `debug` before it runs any middleware.
    /// These records have no ID.
    pub early_records: &'static [&'static str],
    /// The framework's records when it ends. Their number may vary.
    pub shutdown_records: &'static [&'static str],
}

/// Runs all checks against one executable, and panics with every failure.
///
/// # Panics
///
/// If the service breaks the contract.
pub fn run(exe: &str, gaps: ServiceGaps) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    runtime.block_on(check(exe, &gaps)).assert_passed(exe);
}

/// Runs all checks against one executable.
pub async fn check(exe: &str, gaps: &ServiceGaps) -> Report {
    let mut report = Report::default();
    for result in [
        by_default(&mut report, exe, gaps).await,
        distrusting(&mut report, exe, gaps).await,
        tracing(&mut report, exe, gaps, TraceContext::Forward).await,
        tracing(&mut report, exe, gaps, TraceContext::Off).await,
        participating(&mut report, exe, gaps).await,
    ] {
        report.ok("service", result);
    }
    report.merge(logs::check(exe, gaps).await);
    report.merge(panics::check(exe).await);
    report.merge(config::check(exe).await);
    report.merge(shutdown::check(exe).await);
    report
}

async fn by_default(report: &mut Report, exe: &str, gaps: &ServiceGaps) -> io::Result<()> {
    let service = Service::start(exe, &[]).await?;
    let (addr, adapter) = (service.addr(), &gaps.adapter);
    report.merge(endpoints::check(addr, gaps).await);
    report.merge(rules::check_rule(addr, adapter, &cases::named("default")).await);
    report.merge(outcomes::check(addr, adapter).await);
    report.merge(bodies::check(addr).await);
    report.merge(spawned::check(addr).await);
    report.merge(websocket::check(addr, adapter).await);
    report.merge(connection::check(addr).await);
    report.merge(smuggled::check(addr).await);
    report.merge(concurrency::http1(addr, Load::FULL).await);
    report.merge(concurrency::pipelined(addr, Load::FULL).await);
    report.merge(concurrency::http2(addr, adapter, Load::FULL).await);
    finish(report, service).await
}

async fn distrusting(report: &mut Report, exe: &str, gaps: &ServiceGaps) -> io::Result<()> {
    let stub = Stub::start();
    let env = [("TRUST", "never"), ("DOWNSTREAM", &*stub.url())];
    let service = Service::start(exe, &env).await?;
    let rule = cases::named("trust never");
    report.merge(rules::check_rule(service.addr(), &gaps.adapter, &rule).await);
    report.merge(relay::check_distrusted(service.addr(), &stub).await);
    finish(report, service).await
}

async fn tracing(
    report: &mut Report,
    exe: &str,
    gaps: &ServiceGaps,
    mode: TraceContext,
) -> io::Result<()> {
    let stub = Stub::start();
    let off = mode == TraceContext::Off;
    let name = if off { "off" } else { "forward" };
    let env = [("TRACE_CONTEXT", name), ("DOWNSTREAM", &*stub.url())];
    let service = Service::start(exe, &env).await?;
    report.merge(relay::check(service.addr(), &stub, mode).await);
    report.merge(vectors::check(service.addr(), &stub, mode, &gaps.adapter).await);
    if off {
        let rule = cases::named("trace context off");
        report.merge(rules::check_rule(service.addr(), &gaps.adapter, &rule).await);
    } else {
        report.merge(calls::check(service.addr(), &stub).await);
    }
    finish(report, service).await
}

async fn participating(report: &mut Report, exe: &str, gaps: &ServiceGaps) -> io::Result<()> {
    let stub = Stub::start();
    let url = stub.url();
    let env = [("TRACE_CONTEXT", "participate"), ("DOWNSTREAM", &*url)];
    let service = Service::start(exe, &env).await?;
    let mode = TraceContext::Participate { sampled: false };
    report.merge(vectors::check(service.addr(), &stub, mode, &gaps.adapter).await);
    finish(report, service).await?;

    let debug = ("RUST_LOG", "info,correlation=debug");
    let service = Service::start(exe, &[&env[..], &[debug]].concat()).await?;
    let participant = Participant::new(report, service.addr(), &stub).await?;
    let span_ids = participant.check().await?;
    let output = service.terminate().await?;
    let records = logs::read(report, "json", &output.stdout);
    participate::check_log(report, span_ids, &records);

    let never = ("TRUST", "never");
    let service = Service::start(exe, &[&env[..], &[never]].concat()).await?;
    let participant = Participant::new(report, service.addr(), &stub).await?;
    participant.check_distrusted().await?;
    finish(report, service).await
}

/// Checks that the log consists of records with one ID each, whatever the requests were. At level
/// `info`, a service writes only about requests once it has started.
async fn finish(report: &mut Report, service: Service) -> io::Result<()> {
    let output = service.terminate().await?;
    for record in logs::read(report, "json", &output.stdout) {
        report.holds(record.ids.len() <= 1, || format!("{record:?}"));
    }
    Ok(())
}
