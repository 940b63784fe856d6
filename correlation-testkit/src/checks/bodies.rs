//! The ID is there after every wait, and in every chunk of a streamed body.

use std::net::SocketAddr;

use super::{carries, carries_fresh, sent};
use crate::{Connection, NO_HEADERS, Report};

/// Reads `/sleepy` and `/stream`, with an ID and without.
pub async fn check(addr: SocketAddr) -> Report {
    let mut report = Report::default();
    for (path, reads) in [
        ("/sleepy?steps=5&ms=1", 5),
        ("/sleepy?steps=0&ms=1", 0),
        ("/stream?chunks=5", 5),
        ("/stream?chunks=0", 0),
    ] {
        let exchange = async |report: &mut Report| {
            let mut connection = Connection::open(addr).await?;
            let kept = connection.get(path, &sent("c-1")).await?;
            carries(report, path, &kept, "c-1");
            report.equal(path, kept.reads(), vec!["c-1"; reads]);

            let fresh = connection.get(path, NO_HEADERS).await?;
            let id = carries_fresh(report, path, &fresh);
            report.equal(path, fresh.reads(), vec![id; reads]);
            Ok(())
        };
        report.part(path, exchange).await;
    }
    report
}
