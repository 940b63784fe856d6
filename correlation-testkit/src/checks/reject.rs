//! A request that the policy rejects is answered with the reason, in one plain sentence.

use correlation_core::Policy;

use super::{carries_fresh, sent};
use crate::{Adapter, Connection, NO_HEADERS, Report};

/// Checks both reasons, on a path that exists and on one that does not.
pub async fn check(adapter: &impl Adapter) -> Report {
    let missing = Policy::new().reject_missing(true);
    let invalid = Policy::new().reject_invalid(true);
    let mut report = Report::default();
    for (policy, headers, text) in [
        (missing, NO_HEADERS, "the request has no correlation ID"),
        (
            invalid,
            &sent("not valid")[..],
            "the correlation ID of the request is not valid",
        ),
    ] {
        let addr = adapter.start(policy);
        for request in ["GET /id", "POST /id", "HEAD /id", "GET /no"] {
            let (method, path) = request.split_once(' ').unwrap_or_default();
            let text = if method == "HEAD" { "" } else { text };
            let what = format!("rejected, {request}, {headers:?}");
            let exchange = async |report: &mut Report| {
                let mut connection = Connection::open(addr).await?;
                // The request is sent twice, because the connection stays open.
                for _ in 0..2 {
                    let response = connection.send(method, path, headers).await?;
                    report.equal(format_args!("{what}: status"), response.status, 400);
                    carries_fresh(report, &what, &response);
                    let types = response.values("content-type");
                    let plain = ["text/plain; charset=utf-8"];
                    report.equal(format_args!("{what}: content-type"), types, plain);
                    report.equal(format_args!("{what}: body"), response.text(), text);
                }
                Ok(())
            };
            report.part(&what, exchange).await;
        }
    }
    report
}
