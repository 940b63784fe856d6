//! Destructors read the ID if a client disconnects in the middle of its request.

use std::net::SocketAddr;

use super::sent;
use crate::client::request;
use crate::probe::{End, Probe};
use crate::{Connection, Gaps, NO_HEADERS, Report};

/// Disconnects from handlers and bodies that hang.
pub async fn check(addr: SocketAddr, gaps: &Gaps) -> Report {
    let mut report = Report::default();
    for endpoint in ["/hang", "/hang-stream"] {
        let result = leave(&mut report, addr, endpoint, gaps).await;
        report.ok(endpoint, result);
    }
    report.with_exactly("disconnect", 2 * CLIENTS)
}

async fn leave(
    report: &mut Report,
    addr: SocketAddr,
    endpoint: &str,
    gaps: &Gaps,
) -> std::io::Result<()> {
    let runs_on = endpoint == "/hang" && gaps.handler_not_cancelled;
    let reads_none = endpoint == "/hang" && gaps.cancelled_handler_reads_none;
    let mut left = Vec::new();
    for n in 0..CLIENTS {
        let id = format!("gone-{n}");
        let mut probe = Probe::new();
        let mut connection = Connection::open(addr).await?;
        let bytes = request("GET", &probe.path(endpoint), &sent(&id));
        connection.write(&bytes).await?;
        if !probe.hangs().await {
            report.fail(format!("{endpoint}: never called probe::hang"));
            return Ok(());
        }
        left.push((id, probe, connection));
    }
    // All of them hang now, and the client disconnects from all of them.
    let (mut probes, connections): (Vec<_>, Vec<_>) = left
        .into_iter()
        .map(|(id, probe, connection)| ((id, probe), connection))
        .unzip();
    drop(connections);
    if runs_on {
        // A server that cancels handlers has time to show it. Then the handlers end by themselves.
        for _ in 0..50 {
            Connection::open(addr).await?.get("/id", NO_HEADERS).await?;
        }
    }
    for (id, probe) in &mut probes {
        if runs_on {
            probe.release();
        }
        let want = End {
            id: (!reads_none).then(|| id.clone()),
            cancelled: !runs_on,
        };
        let ended = probe.ended(report.patience()).await;
        report.equal(endpoint, ended, Some(want));
    }
    Ok(())
}

const CLIENTS: usize = 10;
