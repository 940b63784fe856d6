//! Every record of every request has its ID, and no other record has one.

use std::io;
use std::net::SocketAddr;

use tokio::task::JoinSet;

use super::ServiceGaps;
use super::process::Service;
use super::records::{Complete, Record, begins};
use crate::checks::{carries, carries_fresh, sent};
use crate::{CORRELATION_ID, Connection, Multiplexed, Report, TRACE, TRACE_ID};

/// Runs a service for each way of logging, and reads its whole log.
pub(super) async fn check(exe: &str, gaps: &ServiceGaps) -> Report {
    let mut report = Report::default();
    for (format, level) in [("json", "info"), ("json", "debug"), ("text", "info")] {
        let what = format!("LOG_FORMAT={format} RUST_LOG={level}");
        let mut found = Report::default();
        let result = complete(&mut found, exe, gaps, format, level).await;
        found.ok("run", result);
        report.merge(found.within(&what));
    }
    let mut found = Report::default();
    let result = details(&mut found, exe).await;
    found.ok("run", result);
    report.merge(found.within("TRUST=never RUST_LOG=debug"));
    let result = filtered(&mut report, exe).await;
    report.ok("filtered", result);
    let result = traced(&mut report, exe).await;
    report.ok("traced", result);
    let result = outside(&mut report, exe, gaps).await;
    report.ok("records of no request", result);
    report
}

/// Reads every line of a log. A line that is not a record is a failure.
pub(super) fn read(report: &mut Report, format: &str, lines: &[String]) -> Vec<Record> {
    let parse = match format {
        "json" => Record::json,
        _ => Record::text,
    };
    let records = lines.iter().map(|line| (line, parse(line)));
    records
        .filter_map(|(line, record)| report.ok(line, record))
        .collect()
}

async fn complete(
    report: &mut Report,
    exe: &str,
    gaps: &ServiceGaps,
    format: &str,
    level: &str,
) -> io::Result<()> {
    let env = [("LOG_FORMAT", format), ("RUST_LOG", level)];
    // Its records without any request belong to no request.
    let idle = Service::start(exe, &env).await?.terminate().await?;
    let mut idle = read(report, format, &idle.stdout);
    for record in &idle {
        report.equal(&record.message, &*record.ids, NONE);
    }
    let at_the_end = |record: &Record| {
        record.ids.is_empty() && begins(gaps.shutdown_records, &record.message).is_some()
    };
    idle.retain(|record| !at_the_end(record));

    let service = Service::start(exe, &env).await?;
    let debug = level == "debug";
    // At that level the HTTP/2 crate reports every frame.
    let multiplexed = !debug && !gaps.adapter.no_h2c;
    let ids = load(report, service.addr(), multiplexed).await?;
    let output = service.terminate().await?;
    let mut records = read(report, format, &output.stdout);
    records.retain(|record| !at_the_end(record));
    let complete = Complete {
        ids: &ids,
        lines: LINES,
        framework: if debug {
            gaps.debug_records
        } else {
            gaps.info_records
        },
        early: if debug { gaps.early_records } else { &[] },
        outside: idle.len(),
    };
    report.merge(complete.check(&records));
    Ok(())
}

/// Sends many requests at once. Either all have separate connections, or every second one uses a
/// shared connection.
async fn load(report: &mut Report, addr: SocketAddr, multiplexed: bool) -> io::Result<Vec<String>> {
    let shared = match multiplexed {
        true => Some(Multiplexed::open(addr).await?),
        false => None,
    };
    let path = format!("/log?n={LINES}");
    let mut requests = JoinSet::new();
    let ids: Vec<_> = (0..REQUESTS)
        .map(|n| format!("log-{n}-of-{REQUESTS}"))
        .collect();
    for (n, id) in ids.iter().cloned().enumerate() {
        let shared = shared.clone().filter(|_| n % 2 == 0);
        let path = path.clone();
        requests.spawn(async move {
            let response = match shared {
                Some(shared) => shared.get(&path, &sent(&id)).await?,
                None => Connection::open(addr).await?.get(&path, &sent(&id)).await?,
            };
            Ok::<_, io::Error>((id, response))
        });
    }
    while let Some(answered) = requests.join_next().await {
        let (id, response) = answered??;
        carries(report, &path, &response, &id);
        report.equal(&path, response.text(), &*id);
    }
    Ok(ids)
}

/// Checks the fields beside the ID, and the library's own records.
async fn details(report: &mut Report, exe: &str) -> io::Result<()> {
    let env = [("TRUST", "never"), ("RUST_LOG", "debug")];
    let service = Service::start(exe, &env).await?;
    let mut connection = Connection::open(service.addr()).await?;
    let mut requests = Vec::new();
    for theirs in ["theirs-1", "theirs-2", "not valid", FORGED, "theirs-3"] {
        let headers = [(CORRELATION_ID, theirs), ("traceparent", "not valid")];
        let response = connection.get("/log?n=2", &headers).await?;
        let id = carries_fresh(report, "/log", &response);
        requests.push((theirs, id));
    }
    drop(connection);
    let output = service.terminate().await?;
    let records = read(report, "json", &output.stdout);
    // At this level, Rocket prints each request as it was received, before any other code sees it.
    let lines = output.stdout.iter();
    let lines = lines.filter(|line| !line.contains("received request: Request {"));
    let found = lines.filter(|line| line.contains(&FORGED[1..]));
    report.equal(
        "lines that a search for another's ID finds",
        found.count(),
        0,
    );
    for (theirs, id) in requests {
        let own: Vec<_> = records.iter().filter(|r| r.ids == [&*id]).collect();
        let begin = own
            .iter()
            .filter(|r| r.message == "caller's ID is not trusted");
        let told: Vec<_> = begin.map(|r| r.untrusted_id.as_deref()).collect();
        let want: &[_] = match theirs {
            "not valid" => &[],
            FORGED => &[None],
            theirs => &[Some(theirs)],
        };
        report.equal(format_args!("untrusted_id of {theirs}"), &*told, want);
        let fields = own.iter().filter(|r| r.untrusted_id.is_some()).count();
        let once = want.iter().flatten().count();
        report.equal(
            format_args!("untrusted_id of {theirs}: records"),
            fields,
            once,
        );
        let written = own.iter().filter(|r| r.message.contains(" line "));
        report.equal(format_args!("records of {theirs}"), written.count(), 4);
        let names = [
            (CORRELATION_ID, theirs == "not valid"),
            ("traceparent", true),
        ];
        for (name, ignored) in names {
            let begin = format!("ignored header {name}");
            let told = own.iter().filter(|r| r.message.starts_with(&begin)).count();
            report.equal(
                format_args!("{begin}, of {theirs}"),
                told,
                usize::from(ignored),
            );
        }
    }
    Ok(())
}

/// Checks that the filter applies to both loggers.
async fn filtered(report: &mut Report, exe: &str) -> io::Result<()> {
    let service = Service::start(exe, &[("RUST_LOG", "error")]).await?;
    let mut connection = Connection::open(service.addr()).await?;
    connection.get("/log?n=2", &sent("c-1")).await?;
    drop(connection);
    let output = service.terminate().await?;
    report.equal("RUST_LOG=error", output.stdout, NONE);
    Ok(())
}

/// Checks that the trace-id of the caller stands beside the ID on every record.
async fn traced(report: &mut Report, exe: &str) -> io::Result<()> {
    let service = Service::start(exe, &[]).await?;
    let mut connection = Connection::open(service.addr()).await?;
    let headers = [(CORRELATION_ID, "c-1"), ("traceparent", TRACE)];
    connection.get("/log?n=2", &headers).await?;
    connection.get("/log?n=2", &sent("c-2")).await?;
    drop(connection);
    let output = service.terminate().await?;
    let records = read(report, "json", &output.stdout);
    for (id, want) in [("c-1", &[TRACE_ID][..]), ("c-2", &[])] {
        let own = records.iter().filter(|record| record.ids == [id]);
        report.holds(own.clone().count() >= 4, || format!("{id}: few records"));
        for record in own {
            report.equal(format_args!("{id}: trace_id"), &*record.trace_ids, want);
        }
    }
    Ok(())
}

/// Checks the records outside requests. The server's connections read frames between requests, so
/// these records have no ID. Neither do its records before the first request.
async fn outside(report: &mut Report, exe: &str, gaps: &ServiceGaps) -> io::Result<()> {
    let env = [("RUST_LOG", "trace")];
    let idle = Service::start(exe, &env).await?.terminate().await?;
    for record in read(report, "json", &idle.stdout) {
        report.equal(&record.message, record.ids, NONE);
    }
    if gaps.adapter.no_h2c {
        return Ok(());
    }
    let service = Service::start(exe, &env).await?;
    let connection = Multiplexed::open(service.addr()).await?;
    for id in ["c-1", "c-2"] {
        connection.get("/id", &sent(id)).await?;
    }
    drop(connection);
    let output = service.terminate().await?;
    let records = read(report, "json", &output.stdout);
    let frames = records.iter().filter(|record| record.message == "received");
    let heads = frames
        .clone()
        .filter(|record| record.target.starts_with("h2::"));
    report.holds(heads.count() >= 2, || {
        "RUST_LOG=trace: no frames".to_owned()
    });
    for frame in frames {
        report.equal("RUST_LOG=trace, frame", &*frame.ids, NONE);
    }
    Ok(())
}

/// It looks like the field of another request.
const FORGED: &str = "|correlation_id=victim";
const REQUESTS: usize = 200;
const LINES: usize = 5;
const NONE: [&str; 0] = [];
