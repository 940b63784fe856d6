//! Which headers the handler and the browser see.

use correlation_core::Policy;

use super::{carries, sent};
use crate::{Adapter, Connection, NO_HEADERS, Report};

/// Checks them all, under three policies.
pub async fn check(adapter: &impl Adapter) -> Report {
    let mut report = Report::default();

    let addr = adapter.start(Policy::new());
    if let Some(connection) = report.ok("/own", Connection::open(addr).await) {
        own_id_is_replaced(&mut report, connection).await;
    }
    if let Some(connection) = report.ok("/seen", Connection::open(addr).await) {
        request_is_unchanged(&mut report, connection).await;
    }

    let addr = adapter.start(Policy::new().rewrite_request(true));
    if let Some(connection) = report.ok("rewrite_request", Connection::open(addr).await) {
        request_is_rewritten(&mut report, connection).await;
    }

    let addr = adapter.start(Policy::new().expose_to_browsers(true));
    if let Some(connection) = report.ok("expose_to_browsers", Connection::open(addr).await) {
        let unmatched = !adapter.gaps().no_header_on_unmatched;
        header_is_exposed(&mut report, connection, unmatched).await;
    }
    report
}

async fn own_id_is_replaced(report: &mut Report, mut connection: Connection) {
    let what = "/own";
    if let Some(response) = report.ok(what, connection.get(what, &sent("c-1")).await) {
        carries(report, what, &response, "c-1");
        report.equal(format_args!("{what}: body"), response.text(), "c-1");
        report.equal(
            format_args!("{what}: exposed"),
            response.list(EXPOSED),
            ["x-total"],
        );
    }
}

async fn request_is_unchanged(report: &mut Report, mut connection: Connection) {
    for (headers, seen) in [
        (&[][..], "none"),
        (&["c-1"], "c-1"),
        (&["not valid"], "not valid"),
        (&["c-1", "c-2"], "c-1, c-2"),
    ] {
        let what = format!("/seen, {headers:?}");
        let headers: Vec<_> = headers.iter().flat_map(|id| sent(id)).collect();
        if let Some(response) = report.ok(&what, connection.get("/seen", &headers).await) {
            report.equal(what, response.text(), seen);
        }
    }
}

async fn request_is_rewritten(report: &mut Report, mut connection: Connection) {
    for headers in [
        &[][..],
        &[("x-correlation-id", "c-1")],
        &[("x-correlation-id", "c-1"), ("X-Correlation-ID", "c-1")],
        &[("x-correlation-id", "c-1"), ("x-correlation-id", "c-2")],
        &[("x-correlation-id", "not valid")],
        &[("x-request-id", "r-1")],
    ] {
        let what = format!("rewrite_request, {headers:?}");
        if let Some(response) = report.ok(&what, connection.get("/seen", headers).await) {
            report.equal(what, response.ids(), [response.text()]);
        }
    }
}

async fn header_is_exposed(report: &mut Report, mut connection: Connection, unmatched: bool) {
    let name = "x-correlation-id";
    let mut paths = vec![("/id", vec![name]), ("/own", vec!["x-total", name])];
    if unmatched {
        paths.push(("/no-such-path", vec![name]));
    }
    for (path, mut want) in paths {
        let what = format!("expose_to_browsers, {path}");
        if let Some(response) = report.ok(&what, connection.get(path, NO_HEADERS).await) {
            let mut exposed = response.list(EXPOSED);
            exposed.sort_unstable();
            want.sort_unstable();
            report.equal(what, exposed, want);
        }
    }
}

const EXPOSED: &str = "access-control-expose-headers";
