//! The response carries the ID whatever becomes of the request.

use std::net::SocketAddr;

use super::{carries, carries_fresh, sent};
use crate::{Connection, Gaps, NO_HEADERS, Report};

/// Sends requests that fail in every way the contract knows.
pub async fn check(addr: SocketAddr, gaps: &Gaps) -> Report {
    let mut report = Report::default();
    let wrong_method = if gaps.wrong_method_is_404 { 404 } else { 405 };
    let bad_query = if gaps.bad_query_is_422 { 422 } else { 400 };
    let headless = gaps.no_header_on_unmatched;
    for (method, path, status, headless) in [
        ("GET", "/id", 200, false),
        ("GET", "/no-such-path", 404, headless),
        ("POST", "/id", wrong_method, headless),
        ("GET", "/sleepy?steps=many&ms=1", bad_query, headless),
        ("GET", "/fail", 500, false),
    ] {
        let what = format!("{method} {path}");
        let result = exchange(&mut report, addr, method, path, status, headless).await;
        report.ok(what, result);
    }
    if let Some(mut connection) = report.ok("HEAD /id", Connection::open(addr).await) {
        let result = connection.send("HEAD", "/id", &sent("c-1")).await;
        if let Some(response) = report.ok("HEAD /id", result)
            && !(headless && response.status >= 400)
        {
            carries(&mut report, "HEAD /id", &response, "c-1");
        }
    }
    for _ in 0..5 {
        panics(&mut report, addr, gaps).await;
    }
    report
}

async fn exchange(
    report: &mut Report,
    addr: SocketAddr,
    method: &str,
    path: &str,
    status: u16,
    headless: bool,
) -> std::io::Result<()> {
    let what = format!("{method} {path}");
    let mut connection = Connection::open(addr).await?;
    let kept = connection.send(method, path, &sent("c-1")).await?;
    report.equal(format_args!("{what}: status"), kept.status, status);
    let fresh = connection.send(method, path, NO_HEADERS).await?;
    report.equal(format_args!("{what}: status"), fresh.status, status);
    if headless {
        let ids = [kept.ids(), fresh.ids()].concat();
        report.holds(ids.is_empty(), || {
            format!("{what}: want no ID by gap, got {ids:?}")
        });
    } else {
        carries(report, &what, &kept, "c-1");
        carries_fresh(report, &what, &fresh);
    }
    Ok(())
}

async fn panics(report: &mut Report, addr: SocketAddr, gaps: &Gaps) {
    let what = "GET /panic";
    let Some(mut connection) = report.ok(what, Connection::open(addr).await) else {
        return;
    };
    let result = connection.get("/panic", &sent("c-1")).await;
    if gaps.panic_closes_connection {
        report.holds(result.is_err(), || {
            format!("{what}: want it closed by gap, got {result:?}")
        });
    } else if let Some(response) = report.ok(what, result) {
        report.equal(format_args!("{what}: status"), response.status, 500);
        carries(report, what, &response, "c-1");
    }

    // The thread that panicked serves on, and its ID is gone.
    let what = "GET /id after a panic";
    if let Some(mut connection) = report.ok(what, Connection::open(addr).await) {
        let result = connection.get("/id", NO_HEADERS).await;
        if let Some(response) = report.ok(what, result) {
            let id = carries_fresh(report, what, &response);
            report.equal(what, Some(response.text().into_owned()), id);
        }
    }
}
