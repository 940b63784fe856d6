//! SIGTERM ends the service with status 0. Requests that are being served are completed.

use std::io;
use std::net::SocketAddr;

use super::process::Service;
use super::stub::Stub;
use crate::checks::{carries, sent};
use crate::client::{in_time, request};
use crate::{Connection, NO_HEADERS, Report};

/// Ends the service while it is idle, and while it has two requests to answer.
pub(super) async fn check(exe: &str) -> Report {
    let mut report = Report::default();
    let result = idle(exe).await;
    report.holds(result.is_ok(), || format!("SIGTERM, idle: {result:?}"));
    let result = busy(&mut report, exe).await;
    report.ok("SIGTERM, busy", result);
    report
}

/// Checks that a client with an open connection does not keep the service alive.
async fn idle(exe: &str) -> io::Result<()> {
    let service = Service::start(exe, &[]).await?;
    let mut unused = Connection::open(service.addr()).await?;
    let mut kept_alive = Connection::open(service.addr()).await?;
    kept_alive.get("/id", &sent("c-1")).await?;
    service.terminate().await?;
    // Both connections must be open until here.
    drop(unused.write(b"").await);
    drop(kept_alive);
    Ok(())
}

async fn busy(report: &mut Report, exe: &str) -> io::Result<()> {
    let stub = Stub::start();
    let service = Service::start(exe, &[("DOWNSTREAM", &stub.url())]).await?;
    let addr = service.addr();

    let mut held = Connection::open(addr).await?;
    let bytes = request("GET", "/relay?path=/hold", &sent("held"));
    held.write(&bytes).await?;
    stub.arrived().await?;

    let mut streamed = Connection::open(addr).await?;
    let path = format!("/stream?chunks={CHUNKS}");
    streamed
        .write(&request("GET", &path, &sent("streamed")))
        .await?;
    let head = streamed.read_head().await?;
    let mut chunks = usize::from(streamed.read_chunk().await?.is_some());

    service.signal().await?;
    refuses(addr).await?;
    stub.release();

    let response = held.read_response().await?;
    report.equal("SIGTERM, held: status", response.status, 200);
    report.equal("SIGTERM, held: body", response.text(), "held");
    carries(report, "SIGTERM, held", &response, "held");
    while let Some(chunk) = streamed.read_chunk().await? {
        report.equal("SIGTERM, streamed", &*chunk, &b"streamed\n"[..]);
        chunks += 1;
    }
    report.equal("SIGTERM, streamed: chunks", chunks, CHUNKS);
    carries(report, "SIGTERM, streamed", &head, "streamed");
    service.ended().await?;
    Ok(())
}

/// Waits until new clients are refused, which shows that the service has received the signal.
///
/// Each attempt waits for an answer. The kernel accepts connections as fast as the test can open
/// them, and that would take the time that the service needs.
async fn refuses(addr: SocketAddr) -> io::Result<()> {
    let answers = async || Connection::open(addr).await?.get("/id", NO_HEADERS).await;
    in_time(async {
        while answers().await.is_ok() {}
        Ok(())
    })
    .await
}

/// It is more than the service sends before it receives the signal, and takes less than a second.
const CHUNKS: usize = 100;
