//! The headers that the handler and the browser see.

use std::io;

use correlation_core::Policy;

use super::{carries, sent};
use crate::app::OPAQUE_HEADER;
use crate::{Adapter, CORRELATION_ID, Connection, NO_HEADERS, Report};

/// Checks them all, under three policies.
pub async fn check(adapter: &impl Adapter) -> Report {
    let mut report = Report::default();
    let addr = adapter.start(Policy::new());
    let plain = async |report: &mut Report| {
        let connection = &mut Connection::open(addr).await?;
        own_id_is_replaced(report, connection).await?;
        request_is_unchanged(report, connection).await
    };
    report.part("/own, /seen", plain).await;

    let addr = adapter.start(Policy::new().rewrite_request(true));
    let rewritten = async |report: &mut Report| {
        request_is_rewritten(report, &mut Connection::open(addr).await?).await
    };
    report.part("rewrite_request", rewritten).await;

    let addr = adapter.start(Policy::new().expose_to_browsers(true));
    let unmatched = !adapter.gaps().no_header_on_unmatched;
    let exposed = async |report: &mut Report| {
        header_is_exposed(report, &mut Connection::open(addr).await?, unmatched).await
    };
    report.part("expose_to_browsers", exposed).await;
    report
}

async fn own_id_is_replaced(report: &mut Report, connection: &mut Connection) -> io::Result<()> {
    let what = "/own";
    let response = connection.get(what, &sent("c-1")).await?;
    carries(report, what, &response, "c-1");
    report.equal(format_args!("{what}: body"), response.text(), "c-1");
    let exposed = response.list(EXPOSED);
    report.equal(format_args!("{what}: exposed"), exposed, ["x-total"]);
    Ok(())
}

async fn request_is_unchanged(report: &mut Report, connection: &mut Connection) -> io::Result<()> {
    for (headers, seen) in [
        (&[][..], "none"),
        (&["c-1"], "c-1"),
        (&["not valid"], "not valid"),
        (&["c-1", "c-2"], "c-1, c-2"),
    ] {
        let lines: Vec<_> = headers.iter().flat_map(|id| sent(id)).collect();
        let response = connection.get("/seen", &lines).await?;
        report.equal(format_args!("/seen, {headers:?}"), response.text(), seen);
    }
    Ok(())
}

async fn request_is_rewritten(report: &mut Report, connection: &mut Connection) -> io::Result<()> {
    let id = |id| (CORRELATION_ID, id);
    for headers in [
        &[][..],
        &[id("c-1")],
        &[id("c-1"), ("X-Correlation-ID", "c-1")],
        &[id("c-1"), id("c-2")],
        &[id("not valid")],
        &[("x-request-id", "r-1")],
    ] {
        let what = format!("rewrite_request, {headers:?}");
        let response = connection.get("/seen", headers).await?;
        report.equal(what, response.ids(), [response.text()]);
    }
    Ok(())
}

async fn header_is_exposed(
    report: &mut Report,
    connection: &mut Connection,
    unmatched: bool,
) -> io::Result<()> {
    let name = CORRELATION_ID;
    let mut paths = vec![("/id", vec![name]), ("/own", vec!["x-total", name])];
    if unmatched {
        paths.push(("/no-such-path", vec![name]));
    }
    for (path, mut want) in paths {
        let response = connection.get(path, NO_HEADERS).await?;
        let mut exposed = response.list(EXPOSED);
        exposed.sort_unstable();
        want.sort_unstable();
        report.equal(format_args!("expose_to_browsers, {path}"), exposed, want);
    }
    let what = "expose_to_browsers, /opaque";
    let response = connection.get("/opaque", NO_HEADERS).await?;
    report.equal(what, response.values(EXPOSED), [OPAQUE_HEADER.1, name]);
    Ok(())
}

const EXPOSED: &str = "access-control-expose-headers";
