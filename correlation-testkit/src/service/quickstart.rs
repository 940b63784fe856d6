//! Every quickstart has one ID on each line of a request, whichever code writes the line.

use std::io;
use std::process::Command;

use tokio::runtime::Runtime;

use crate::checks::{carries, carries_fresh, sent};
use crate::process::Running;
use crate::{Connection, NO_HEADERS, Report};

/// Starts a quickstart on a free port and makes two purchases at the same time. It reads the log
/// until each purchase has been placed, shipped by a call and mailed by a task.
///
/// # Panics
///
/// If the program does not do all of that within the deadline. Also if a response or a line of a
/// request has a different ID than its request, or none.
pub fn quickstart(exe: &str) {
    let runtime = Runtime::new().expect("a runtime");
    let report = runtime.block_on(check(exe)).expect("it answers");
    report.assert_passed(exe);
}

async fn check(exe: &str) -> io::Result<Report> {
    let mut command = Command::new(exe);
    command.env_clear().env("LISTEN", "127.0.0.1:0");
    let mut running = Running::start(command.env("ROCKET_PORT", "0"));
    let addr = running.wait_for(|line| line.split_once("http://")?.1.parse().ok());
    let mut report = Report::default();
    let (mut one, mut other) = (Connection::open(addr).await?, Connection::open(addr).await?);
    let sent = sent("click-1");
    let (one, other) = tokio::join!(one.get("/buy", &sent), other.get("/buy", NO_HEADERS));
    let (one, other) = (one?, other?);
    report.equal("/buy", (one.status, other.status), (200, 200));
    carries(&mut report, "/buy", &one, "click-1");
    let fresh = carries_fresh(&mut report, "/buy", &other);
    let ids = ["click-1", &fresh];

    let mut told = Vec::new();
    while told.len() < ids.len() * STORY.len() {
        let line = running.next_line();
        let id = line.rsplit_once(" correlation_id=").map(|(_, id)| id);
        let id = ids.into_iter().find(|known| Some(*known) == id);
        let event = STORY.into_iter().find(|event| line.contains(event));
        // The framework's lines before the first request belong to no request.
        if id.is_some() || event.is_some() || !told.is_empty() {
            report.holds(id.is_some(), || line.to_owned());
        }
        told.extend(event.map(|event| (id, event)));
    }
    told.sort_unstable();
    let mut want: Vec<_> = ids
        .iter()
        .flat_map(|id| STORY.map(|event| (Some(*id), event)))
        .collect();
    want.sort_unstable();
    report.equal("story", told, want);
    Ok(report)
}

const STORY: [&str; 3] = ["order placed", "order shipped", "receipt mailed"];
