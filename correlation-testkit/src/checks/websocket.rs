//! A WebSocket keeps the ID of its upgrade request as long as it is open.

use std::io;
use std::net::SocketAddr;

use super::{carries, carries_fresh, sent};
use crate::{Gaps, Report, WebSocket};

/// Opens many sockets at once and asks each of them several times, in turns.
pub async fn check(addr: SocketAddr, gaps: &Gaps) -> Report {
    let mut report = Report::default();
    let converse = async |report: &mut Report| converse(report, addr, gaps).await;
    report.part("/ws", converse).await;
    let per_socket = if gaps.no_websocket { 2 } else { 2 + ROUNDS };
    let one_fresh = if gaps.no_websocket { 0 } else { 2 };
    report.with_exactly("/ws", SOCKETS * per_socket + one_fresh)
}

async fn converse(report: &mut Report, addr: SocketAddr, gaps: &Gaps) -> io::Result<()> {
    let mut sockets = Vec::new();
    for n in 0..SOCKETS {
        let id = format!("ws-{n}");
        let (response, socket) = WebSocket::open(addr, "/ws", &sent(&id)).await?;
        let status = if gaps.no_websocket { 404 } else { 101 };
        report.equal("/ws: status", response.status, status);
        carries(report, "/ws", &response, &id);
        sockets.extend(socket.map(|socket| (id, socket)));
    }
    for round in 0..ROUNDS {
        for (id, socket) in &mut sockets {
            let answer = socket.ask(&format!("question {round}")).await?;
            report.equal("/ws: answer", &answer, &*id);
        }
    }
    let (response, socket) = WebSocket::open(addr, "/ws", &[]).await?;
    if let Some(mut socket) = socket {
        let id = carries_fresh(report, "/ws", &response);
        let answer = socket.ask("without an ID").await?;
        report.equal("/ws: answer", answer, id);
    }
    Ok(())
}

const SOCKETS: usize = 20;
const ROUNDS: usize = 3;
