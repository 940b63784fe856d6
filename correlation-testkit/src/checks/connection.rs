//! Requests on one connection do not see each other's ID.

use std::net::SocketAddr;

use super::{FRESH, carries, carries_fresh, sent};
use crate::{Connection, NO_HEADERS, Report};

/// Sends requests with and without an ID over one connection.
pub async fn check(addr: SocketAddr) -> Report {
    let what = "same connection";
    let mut report = Report::default();
    let exchange = async |report: &mut Report| {
        let mut connection = Connection::open(addr).await?;
        for round in 0..5 {
            for before in ["/id", "/sleepy", "/stream", "/fail", "/no-such-path"] {
                let id = format!("c-{round}");
                connection.get(before, &sent(&id)).await?;

                let fresh = connection.get("/id", NO_HEADERS).await?;
                let got = carries_fresh(report, what, &fresh);
                report.equal(what, fresh.text(), got.as_str());
                report.holds(FRESH.matches(&got), || {
                    format!("{what}: {got} after {before}")
                });

                let other = connection.get("/id", &sent("other")).await?;
                carries(report, what, &other, "other");
                report.equal(what, other.text(), "other");
            }
        }
        Ok(())
    };
    report.part(what, exchange).await;
    report
}
