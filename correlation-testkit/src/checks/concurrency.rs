//! Many requests at the same time, each with a separate ID, which is read after every wait and in
//! every chunk.

use std::io;
use std::net::SocketAddr;

use tokio::task::JoinSet;

use super::{carries, sent};
use crate::client::request;
use crate::{Connection, Gaps, Multiplexed, NO_HEADERS, Report, Response};

/// The amount of load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// The number of requests at the same time.
    pub clients: usize,
    /// The number of times that each client requests `/sleepy` and `/stream`.
    pub rounds: usize,
    /// The number of waits or chunks in each response.
    pub reads: usize,
}

impl Load {
    /// The load that the contract requires.
    pub const FULL: Self = Self {
        clients: 200,
        rounds: 3,
        reads: 5,
    };

    /// Returns the number of comparisons for this many requests: one for the response header, and
    /// one for each read of the ambient ID.
    fn comparisons(self, requests: usize) -> usize {
        requests * (self.reads + 1)
    }

    fn path(self, number: usize) -> String {
        let Self { reads, .. } = self;
        if number.is_multiple_of(2) {
            format!("/sleepy?steps={reads}&ms=1")
        } else {
            format!("/stream?chunks={reads}")
        }
    }
}

/// Gives each client a separate connection, which it keeps alive.
pub async fn http1(addr: SocketAddr, load: Load) -> Report {
    let mut clients = JoinSet::new();
    for client in 0..load.clients {
        clients.spawn(async move {
            let mut report = Report::default();
            let result = http1_client(&mut report, addr, load, client).await;
            report.ok("HTTP/1.1", result);
            report
        });
    }
    let requests = load.clients * load.rounds * 2;
    joined(clients)
        .await
        .with_exactly("HTTP/1.1", load.comparisons(requests))
}

async fn http1_client(
    report: &mut Report,
    addr: SocketAddr,
    load: Load,
    client: usize,
) -> io::Result<()> {
    let mut connection = Connection::open(addr).await?;
    for number in 0..load.rounds * 2 {
        let id = format!("h1-{client}-{number}");
        let path = load.path(number);
        let response = connection.get(&path, &sent(&id)).await?;
        compare(report, &path, &response, &id);
    }
    Ok(())
}

/// Makes one client send 20 requests without waiting for a response.
pub async fn pipelined(addr: SocketAddr, load: Load) -> Report {
    let mut report = Report::default();
    let result = pipelined_client(&mut report, addr, load).await;
    report.ok("pipelined", result);
    report.with_exactly("pipelined", load.comparisons(PIPELINED))
}

async fn pipelined_client(report: &mut Report, addr: SocketAddr, load: Load) -> io::Result<()> {
    let mut connection = Connection::open(addr).await?;
    let requests: Vec<_> = (0..PIPELINED)
        .map(|number| (load.path(number), format!("pipe-{number}")))
        .collect();
    let bytes: Vec<_> = requests
        .iter()
        .flat_map(|(path, id)| request("GET", path, &sent(id)))
        .collect();
    connection.write(&bytes).await?;
    for (path, id) in &requests {
        let response = connection.read_response().await?;
        compare(report, path, &response, id);
    }
    Ok(())
}

/// Makes all clients share one HTTP/2 connection.
pub async fn http2(addr: SocketAddr, gaps: &Gaps, load: Load) -> Report {
    let mut report = Report::default();
    let opened = Multiplexed::open(addr).await;
    if gaps.no_h2c {
        let refused = match opened {
            Ok(connection) => connection.get("/id", NO_HEADERS).await.is_err(),
            Err(_) => true,
        };
        report.holds(refused, || "HTTP/2: answered, against the gap".to_owned());
        return report;
    }
    let Some(connection) = report.ok("HTTP/2", opened) else {
        return report;
    };
    let mut clients = JoinSet::new();
    for client in 0..load.clients {
        let connection = connection.clone();
        clients.spawn(async move {
            let mut report = Report::default();
            let result = http2_client(&mut report, &connection, load, client).await;
            report.ok("HTTP/2", result);
            report
        });
    }
    let requests = load.clients * load.rounds * 2;
    joined(clients)
        .await
        .with_exactly("HTTP/2", load.comparisons(requests))
}

async fn http2_client(
    report: &mut Report,
    connection: &Multiplexed,
    load: Load,
    client: usize,
) -> io::Result<()> {
    for number in 0..load.rounds * 2 {
        let id = format!("h2-{client}-{number}");
        let path = load.path(number);
        let response = connection.get(&path, &sent(&id)).await?;
        compare(report, &path, &response, &id);
    }
    Ok(())
}

/// Counts one comparison for the header and one for each read. The sum shows whether reads are
/// missing.
fn compare(report: &mut Report, path: &str, response: &Response, id: &str) {
    carries(report, path, response, id);
    for read in response.reads() {
        report.equal(path, read.as_str(), id);
    }
}

async fn joined(mut clients: JoinSet<Report>) -> Report {
    let mut report = Report::default();
    while let Some(client) = clients.join_next().await {
        if let Some(client) = report.ok("client", client) {
            report.merge(client);
        }
    }
    report
}

const PIPELINED: usize = 20;
