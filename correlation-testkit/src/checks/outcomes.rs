//! The response carries the ID, whatever the outcome of the request.

use std::io;
use std::net::SocketAddr;

use super::{carries, carries_fresh, sent};
use crate::{Connection, Gaps, NO_HEADERS, Report};

/// Sends requests that fail in every way the contract knows.
pub async fn check(addr: SocketAddr, gaps: &Gaps) -> Report {
    let mut report = Report::default();
    let headless = gaps.no_header_on_unmatched;
    for (method, path, status, headless) in [
        ("GET", "/id", 200, false),
        ("GET", "/no-such-path", 404, headless),
        ("POST", "/id", gaps.wrong_method(), headless),
        ("GET", "/sleepy?steps=many&ms=1", gaps.bad_query(), headless),
        ("GET", "/fail", 500, false),
    ] {
        let what = format!("{method} {path}");
        let exchange = async |report: &mut Report| {
            let mut connection = Connection::open(addr).await?;
            let kept = connection.send(method, path, &sent("c-1")).await?;
            let fresh = connection.send(method, path, NO_HEADERS).await?;
            for response in [&kept, &fresh] {
                report.equal(format_args!("{what}: status"), response.status, status);
            }
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
        };
        report.part(&what, exchange).await;
    }
    let head = async |report: &mut Report| {
        let mut connection = Connection::open(addr).await?;
        let response = connection.send("HEAD", "/id", &sent("c-1")).await?;
        if !(headless && response.status >= 400) {
            carries(report, "HEAD /id", &response, "c-1");
        }
        Ok(())
    };
    report.part("HEAD /id", head).await;
    for _ in 0..5 {
        let panics = async |report: &mut Report| panics(report, addr, gaps).await;
        report.part("GET /panic", panics).await;
    }
    report
}

async fn panics(report: &mut Report, addr: SocketAddr, gaps: &Gaps) -> io::Result<()> {
    let what = "GET /panic";
    let mut connection = Connection::open(addr).await?;
    let result = connection.get("/panic", &sent("c-1")).await;
    if gaps.panic_closes_connection {
        report.holds(result.is_err(), || {
            format!("{what}: want it closed by gap, got {result:?}")
        });
    } else if let Some(response) = report.ok(what, result) {
        report.equal(format_args!("{what}: status"), response.status, 500);
        carries(report, what, &response, "c-1");
    }

    // The thread that panicked continues to serve, and the ID is gone from it.
    let what = "GET /id after a panic";
    let mut connection = Connection::open(addr).await?;
    let response = connection.get("/id", NO_HEADERS).await?;
    let id = carries_fresh(report, what, &response);
    report.equal(what, response.text(), id);
    Ok(())
}
