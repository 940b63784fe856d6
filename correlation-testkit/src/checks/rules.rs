//! Every case of the table, on every kind of path.

use std::collections::HashSet;
use std::net::SocketAddr;

use serde_json::json;

use crate::cases::{self, Case, Expect, Rule, Shape};
use crate::{Adapter, Connection, Gaps, Report, Response};

/// Starts a server for each rule and sends it all of its cases.
pub async fn check(adapter: &impl Adapter) -> Report {
    let gaps = adapter.gaps();
    let mut report = Report::default();
    for rule in cases::all() {
        let addr = adapter.start(rule.policy.clone());
        report.merge(check_rule(addr, &gaps, &rule).await);
    }
    report
}

/// Sends all cases of one rule to a server under its policy.
pub async fn check_rule(addr: SocketAddr, gaps: &Gaps, rule: &Rule) -> Report {
    let mut report = Report::default();
    for case in &rule.cases {
        report.merge(check_case(addr, gaps, rule, case).await);
    }
    report
}

async fn check_case(addr: SocketAddr, gaps: &Gaps, rule: &Rule, case: &Case) -> Report {
    let mut report = Report::default();
    let expect = case.expected(gaps);
    let mut seen = HashSet::new();
    let name = format!("{} / {}", rule.name, case.name);
    let Some(mut connection) = report.ok(&name, Connection::open(addr).await) else {
        return report;
    };
    for path in [INBOUND, "/id", "/extract", UNMATCHED] {
        let what = format!("{name}, {path}");
        let Some(response) = report.ok(&what, connection.get(path, &case.headers).await) else {
            return report;
        };
        let status = match (expect, path) {
            (Expect::Rejected, _) => 400,
            (_, UNMATCHED) => 404,
            _ => 200,
        };
        report.equal(format_args!("{what}: status"), response.status, status);
        report.holds(response.values("traceparent").is_empty(), || {
            format!("{what}: a response never carries traceparent")
        });
        let headless = path == UNMATCHED && gaps.no_header_on_unmatched;
        let Some(id) = id_of(&mut report, &what, rule, &response, headless) else {
            continue;
        };
        check_id(&mut report, &what, expect, &id);
        if matches!(expect, Expect::Fresh(shape) if shape.is_unique()) {
            report.holds(seen.insert(id.clone()), || {
                format!("{what}: {id} came twice")
            });
        }
        if status == 200 {
            check_body(&mut report, &what, path, case, expect, &response, &id);
        }
    }
    report
}

/// Returns the ID of the response: from the header, or from the body if the contract has no header
/// there.
fn id_of(
    report: &mut Report,
    what: &str,
    rule: &Rule,
    response: &Response,
    headless: bool,
) -> Option<String> {
    let carrier = rule.response_header.filter(|_| !headless);
    for header in ["x-correlation-id", "x-request-id"] {
        let values = response.values(header);
        let count = usize::from(carrier == Some(header));
        report.equal(
            format_args!("{what}: number of {header} in {values:?}"),
            values.len(),
            count,
        );
    }
    if let Some(header) = carrier {
        return response
            .values(header)
            .first()
            .map(|id| id.clone().into_owned());
    }
    if response.status != 200 {
        return None;
    }
    Some(match response.json()["correlation_id"].as_str() {
        Some(id) => id.to_owned(),
        None => response.text().into_owned(),
    })
}

fn check_id(report: &mut Report, what: &str, expect: &Expect, got: &str) {
    match expect {
        Expect::Kept { id, .. } => report.equal(format_args!("{what}: ID"), got, id.as_str()),
        Expect::Fresh(shape) => check_shape(report, what, *shape, got),
        Expect::Rejected => check_shape(report, what, Shape::Uuid('4'), got),
    }
}

fn check_shape(report: &mut Report, what: &str, shape: Shape, got: &str) {
    report.holds(shape.matches(got), || {
        format!("{what}: ID {got:?}, want a new {shape:?}")
    });
}

fn check_body(
    report: &mut Report,
    what: &str,
    path: &str,
    case: &Case,
    expect: &Expect,
    response: &Response,
    id: &str,
) {
    if path != INBOUND {
        report.equal(format_args!("{what}: body"), response.text(), id);
        return;
    }
    let source = match expect {
        Expect::Kept { source, .. } => source.as_str(),
        Expect::Fresh(_) | Expect::Rejected => "generated",
    };
    let want = json!({
        "correlation_id": id,
        "source": source,
        "untrusted_id": case.untrusted_id,
        "trace_id": case.trace_id,
    });
    report.equal(format_args!("{what}: body"), response.json(), want);
}

const INBOUND: &str = "/inbound";
const UNMATCHED: &str = "/no-such-path";
