//! The access record: one for each request, written when the request ends, with its outcome.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use correlation_core::{CorrelationId, Policy, tag};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::sent;
use crate::client::request;
use crate::probe::Probe;
use crate::{Adapter, Connection, Gaps, Multiplexed, Report, Response};

/// Requires an access record for every kind of request.
pub async fn check<A: Adapter>(adapter: &A) -> Report {
    listen();
    let gaps = &adapter.gaps();
    let addr = adapter.start(Policy::new().access_record(true));
    let mut report = Report::default();
    for (method, path, route) in [
        ("GET", "/id", Some("/id")),
        ("GET", "/stream", Some("/stream")),
        ("GET", "/fail", Some("/fail")),
        ("GET", "/empty/200", A::ROUTE),
        ("GET", "/empty/204", A::ROUTE),
        ("GET", "/empty/302", A::ROUTE),
        ("GET", "/empty/304", A::ROUTE),
        ("GET", "/empty/404", A::ROUTE),
        ("GET", "/empty/500", A::ROUTE),
        ("HEAD", "/id", Some("/id")),
        ("HEAD", "/stream", Some("/stream")),
        ("GET", "/no-such-path", None),
        ("POST", "/no-such-path", None),
        ("GET", "/panic", Some("/panic")),
    ] {
        let mut want = Want::new(method, path);
        // A framework that does not expose one route exposes none.
        want.route = Some(route.filter(|_| A::ROUTE.is_some()));
        let send = async |report: &mut Report| send(report, addr, gaps, want).await;
        report
            .part(format_args!("access, {method} {path}"), send)
            .await;
    }
    if !gaps.no_h2c {
        for path in ["/id", "/stream", "/empty/200", "/empty/204", "/empty/404"] {
            let multiplexed = async |report: &mut Report| {
                let id = CorrelationId::new();
                let connection = Multiplexed::open(addr).await?;
                let response = connection.get(path, &sent(id.as_str())).await?;
                let want = Want::new("GET", path).answered(&response);
                expect(report, id.as_str(), &want).await;
                Ok(())
            };
            let what = format!("access, HTTP/2, {path}");
            report.part(what, multiplexed).await;
        }
    }
    for endpoint in ["/hang", "/hang-stream"] {
        let leave = async |report: &mut Report| leave(report, addr, endpoint, gaps).await;
        report.part(endpoint, leave).await;
    }
    let policy = Policy::new().reject_invalid(true);
    let addr = adapter.start(policy.access_record(true));
    for method in ["GET", "HEAD"] {
        // A rejected request has a record, too.
        let rejected = async |report: &mut Report| {
            let mut connection = Connection::open(addr).await?;
            let response = connection.send(method, "/id", &sent("not valid")).await?;
            let want = Want::new(method, "/id").answered(&response);
            expect(report, &response.ids().concat(), &want).await;
            Ok(())
        };
        report.part("access, rejected", rejected).await;
    }
    report
}

/// The expected content of a record.
struct Want {
    method: &'static str,
    path: &'static str,
    /// `None` if it depends on when the framework exposes the route.
    route: Option<Option<&'static str>>,
    status: Option<u16>,
    bytes: Option<usize>,
    outcome: &'static str,
}

impl Want {
    fn new(method: &'static str, path: &'static str) -> Self {
        Self {
            method,
            path,
            route: None,
            status: None,
            bytes: None,
            outcome: "completed",
        }
    }

    /// The expected record after this answer.
    fn answered(self, response: &Response) -> Self {
        Self {
            status: Some(response.status),
            bytes: Some(response.body.len()),
            ..self
        }
    }
}

/// Sends one request. The record has to match the bytes that were received.
async fn send(
    report: &mut Report,
    addr: SocketAddr,
    gaps: &Gaps,
    mut want: Want,
) -> io::Result<()> {
    let id = CorrelationId::new().to_string();
    // The query is secret, so the record must not have it.
    let target = format!("{}?chunks=2&token={SECRET}", want.path);
    let mut connection = Connection::open(addr).await?;
    let response = connection.send(want.method, &target, &sent(&id)).await;
    if want.path == "/panic" && gaps.panic_closes_connection {
        want.outcome = "panicked";
        want.route = None;
    } else {
        want = want.answered(&response?);
    }
    expect(report, &id, &want).await;
    Ok(())
}

/// Disconnects in the middle of a request.
async fn leave(
    report: &mut Report,
    addr: SocketAddr,
    endpoint: &'static str,
    gaps: &Gaps,
) -> io::Result<()> {
    if endpoint == "/hang" && gaps.handler_not_cancelled {
        return Ok(());
    }
    let id = CorrelationId::new().to_string();
    let mut probe = Probe::new();
    let mut connection = Connection::open(addr).await?;
    connection
        .write(&request("GET", &probe.path(endpoint), &sent(&id)))
        .await?;
    if !probe.hangs().await {
        report.fail(format!("access, {endpoint}: never called probe::hang"));
        return Ok(());
    }
    drop(connection);
    let mut want = Want::new("GET", endpoint);
    want.outcome = "client_gone";
    if endpoint == "/hang-stream" {
        want.status = Some(200);
        // This is the first line, which is the ID.
        want.bytes = Some(id.len() + 1);
    }
    expect(report, &id, &want).await;
    Ok(())
}

async fn expect(report: &mut Report, id: &str, want: &Want) {
    let what = format!("access, {} {}", want.method, want.path);
    let Some(record) = record_of(id, report.patience()).await else {
        report.fail(format!("{what}: no record"));
        return;
    };
    let fields = &record["fields"];
    let known = |name: &str| fields[name].as_u64();
    let latency = fields["latency_ms"].as_f64();
    report.holds(latency.is_some_and(|ms| ms >= 0.0), || {
        format!("{what}: latency {latency:?}")
    });
    let bytes = want.bytes.and_then(|bytes| u64::try_from(bytes).ok());
    let least = want.outcome == "client_gone" && known("bytes") >= bytes;
    report.holds(least || known("bytes") == bytes, || {
        format!("{what}: {:?} bytes, want {bytes:?}", known("bytes"))
    });
    if let Some(route) = want.route {
        report.equal(format!("{what}: route"), fields["route"].as_str(), route);
    }
    let mut rest = fields.as_object().cloned().unwrap_or_default();
    rest.retain(|name, _| !["latency_ms", "bytes", "route"].contains(&name.as_str()));
    let mut all = json!({
        "message": "request", "method": want.method, "path": want.path, "peer": "127.0.0.1",
        "outcome": want.outcome,
    });
    if let Some(status) = want.status {
        all["status"] = status.into();
    }
    report.equal(&what, Value::Object(rest), all);
    let failed = want.outcome == "panicked" || want.status.is_some_and(|status| status >= 500);
    let level = if failed { "WARN" } else { "INFO" };
    report.equal(format!("{what}: level"), &record["level"], level);
    let written = records().get(id).map_or(0, Vec::len);
    report.equal(format!("{what}: records"), written, 1);
}

/// Returns the first access record of a request, once it is written.
async fn record_of(id: &str, patience: Duration) -> Option<Value> {
    let written = async {
        loop {
            let next = WRITTEN.notified();
            if let Some(record) = records().get(id).and_then(|records| records.first()) {
                return record.clone();
            }
            next.await;
        }
    };
    timeout(patience, written).await.ok()
}

/// Keeps every access record that is written in this process.
fn listen() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_writer(tag(|| Records));
        tracing::subscriber::set_global_default(subscriber.finish())
            .expect("no test sets a global subscriber of its own");
    });
}

struct Records;

impl io::Write for Records {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let record: Value = serde_json::from_slice(line)?;
        if record["target"] == "access" {
            let id = record["correlation_id"].as_str().unwrap_or("none");
            records().entry(id.to_owned()).or_default().push(record);
            WRITTEN.notify_waiters();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn records() -> MutexGuard<'static, HashMap<String, Vec<Value>>> {
    static RECORDS: LazyLock<Mutex<HashMap<String, Vec<Value>>>> = LazyLock::new(Mutex::default);
    RECORDS.lock().unwrap_or_else(PoisonError::into_inner)
}

static WRITTEN: Notify = Notify::const_new();
const SECRET: &str = "s3cret";
