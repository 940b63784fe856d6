//! Work in other tasks and threads keeps the ID if it uses a helper, and only then.

use std::net::SocketAddr;

use serde_json::json;

use super::{carries, sent};
use crate::{Connection, Report};

/// Reads `/spawn`.
pub async fn check(addr: SocketAddr) -> Report {
    let (what, id) = ("/spawn", "c-1");
    let mut report = Report::default();
    let exchange = async |report: &mut Report| {
        let response = Connection::open(addr).await?.get(what, &sent(id)).await?;
        carries(report, what, &response, id);
        let want = json!({
            "task": id, "blocking": id, "thread": id, "join_set": id, "naked": null,
        });
        report.equal(what, response.json(), want);
        Ok(())
    };
    report.part(what, exchange).await;
    report
}
