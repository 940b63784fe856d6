//! The report of a panic goes to standard error, in the format of the log and with the ID on each
//! line. It is not a log record.

use std::io;

use serde_json::Value;

use super::process::{LISTENING, Service};
use crate::checks::{carries, sent};
use crate::{Connection, Report};

/// Runs a service for each format.
pub(super) async fn check(exe: &str) -> Report {
    let mut report = Report::default();
    for format in ["json", "text"] {
        let mut found = Report::default();
        let result = panics(&mut found, exe, format).await;
        found.ok("run", result);
        report.merge(found.within(&format!("/panic, LOG_FORMAT={format}")));
    }
    report
}

async fn panics(report: &mut Report, exe: &str, format: &str) -> io::Result<()> {
    let service = Service::start(exe, &[("LOG_FORMAT", format)]).await?;
    for id in ["c-1", "c-2"] {
        // The answer does not matter here. The connection may close.
        let mut connection = Connection::open(service.addr()).await?;
        let _ = connection.get("/panic", &sent(id)).await;
        let mut connection = Connection::open(service.addr()).await?;
        let response = connection.get("/id", &sent("c-3")).await?;
        carries(report, "/id", &response, "c-3");
    }
    let output = service.terminate().await?;
    let said = output.stderr.iter();
    let said: Vec<_> = said.filter(|line| !line.starts_with(LISTENING)).collect();
    match format {
        "json" => report.equal("reports", said.len(), 2),
        _ => report.holds(said.len() >= 4, || format!("{said:#?}")),
    }
    for id in ["c-1", "c-2"] {
        let own: Vec<_> = said.iter().filter(|line| has(line, format, id)).collect();
        report.equal(format_args!("lines of {id}"), own.len(), said.len() / 2);
        let boom = own.iter().filter(|line| line.contains("boom"));
        report.equal(format_args!("messages of {id}"), boom.count(), 1);
    }
    // The framework may log that it has caught a panic.
    let is_report =
        |line: &&String| line.contains("panicked at") || line.contains("\"target\":\"panic\"");
    let logged = output.stdout.iter().find(is_report);
    report.holds(logged.is_none(), || format!("in the log: {logged:?}"));
    Ok(())
}

fn has(line: &str, format: &str, id: &str) -> bool {
    if format == "text" {
        return line.ends_with(&format!(" correlation_id={id}"));
    }
    let object: Value = serde_json::from_str(line).unwrap_or_default();
    object["correlation_id"] == id && object["target"] == "panic" && object["level"] == "ERROR"
}
