//! The access record: one for each request, when it has ended, with how it ended.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use correlation_core::{Policy, tag};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::sent;
use crate::client::request;
use crate::probe::Probe;
use crate::{Adapter, Connection, DEADLINE, Gaps, Report};

/// Asks for an access record of every kind of request.
pub async fn check(adapter: &impl Adapter) -> Report {
    listen();
    let gaps = adapter.gaps();
    let addr = adapter.start(Policy::new().access_record(true));
    let mut report = Report::default();
    let panic = if gaps.panic_closes_connection {
        "panicked"
    } else {
        "completed"
    };
    for (path, status, outcome) in [
        ("/id", Some(200), "completed"),
        ("/stream", Some(200), "completed"),
        ("/no-such-path", Some(404), "completed"),
        ("/fail", Some(500), "completed"),
        ("/panic", (panic == "completed").then_some(500), panic),
    ] {
        let id = new_id();
        // The query is a secret.
        let target = format!("{path}?chunks=2&token={SECRET}");
        let mut connection = match Connection::open(addr).await {
            Ok(connection) => connection,
            Err(error) => {
                report.fail(format!("access, {path}: {error}"));
                continue;
            }
        };
        // What comes back is not the matter here; a panic may well close the connection.
        let _ = connection.get(&target, &sent(&id)).await;
        expect(&mut report, path, &id, status, outcome).await;
    }
    for endpoint in ["/hang", "/hang-stream"] {
        let result = leave(&mut report, addr, endpoint, &gaps).await;
        report.ok(endpoint, result);
    }
    report
}

/// Goes away in the middle of a request.
async fn leave(
    report: &mut Report,
    addr: SocketAddr,
    endpoint: &str,
    gaps: &Gaps,
) -> io::Result<()> {
    if endpoint == "/hang" && gaps.handler_not_cancelled {
        return Ok(());
    }
    let id = new_id();
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
    let status = (endpoint == "/hang-stream").then_some(200);
    expect(report, endpoint, &id, status, "client_gone").await;
    Ok(())
}

async fn expect(report: &mut Report, path: &str, id: &str, status: Option<u16>, outcome: &str) {
    let Some(record) = record_of(id).await else {
        report.fail(format!("access, {path}: no record"));
        return;
    };
    let mut fields = record["fields"].clone();
    let latency = fields
        .as_object_mut()
        .and_then(|fields| fields.remove("latency_ms"));
    let mut want = json!({"message": "request", "method": "GET", "path": path, "outcome": outcome});
    if let Some(status) = status {
        want["status"] = status.into();
    }
    report.equal(format!("access, {path}"), fields, want);
    report.equal(
        format!("access, {path}, level"),
        record["level"].as_str(),
        Some("INFO"),
    );
    let latency = latency.and_then(|latency| latency.as_f64());
    report.holds(latency.is_some_and(|ms| ms >= 0.0), || {
        format!("access, {path}: latency {latency:?}")
    });
    report.equal(
        format!("access, {path}, records"),
        records().get(id).map_or(0, Vec::len),
        1,
    );
}

/// The first access record of a request, once it is written.
async fn record_of(id: &str) -> Option<Value> {
    let written = async {
        loop {
            let next = WRITTEN.notified();
            if let Some(record) = records().get(id).and_then(|records| records.first()) {
                return record.clone();
            }
            next.await;
        }
    };
    timeout(DEADLINE, written).await.ok()
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
            let id = record["correlation_id"]
                .as_str()
                .unwrap_or("none")
                .to_owned();
            records().entry(id).or_default().push(record);
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

/// Adapters run side by side in one process, so no two requests may have the same.
fn new_id() -> String {
    correlation_core::CorrelationId::new().to_string()
}

static WRITTEN: Notify = Notify::const_new();
const SECRET: &str = "s3cret";
