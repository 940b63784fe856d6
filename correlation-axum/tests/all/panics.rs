//! A service with two workers, as a process: whatever panics in it, and whoever reads what it
//! writes, it answers the next request.
#![cfg(all(feature = "tracing", unix))]

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Output, Stdio};
use std::sync::Mutex;
use std::{env, fmt};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use correlation_axum::correlation::Policy;
use correlation_axum::{CorrelationLayer, correlation};
use correlation_testkit::{Connection, app, process};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::field::{Empty, display};

/// As many requests as would stop both workers, and one more.
const TIMES: usize = 3;

#[tokio::test]
async fn values_and_writers_that_panic_stop_no_worker() {
    let service = Service::start("hook");
    service.survives("/record").await;
    service.survives("/write").await;
    service.survives("/panic").await;
    let output = service.end();
    let stderr = String::from_utf8(output.stderr).unwrap();
    for (message, times) in [
        ("cannot be shown", 1),
        ("cannot be written", 1),
        ("boom", TIMES),
    ] {
        let reports = stderr.lines().filter(|line| line.starts_with(message));
        let ids: Vec<_> = reports.filter_map(|line| line.split_once(TAG)).collect();
        // After its first panic `fmt` itself panics at each call, since its lock is poisoned.
        assert!(ids.len() >= times, "{message}: {stderr}");
    }
    let untagged: Vec<_> = stderr.lines().filter(|line| !line.contains(TAG)).collect();
    assert_eq!(untagged, [""; 0]);
}

#[tokio::test]
async fn it_survives_panics_that_nobody_reads_of() {
    for mode in ["hook", "access", "hook access"] {
        let mut service = Service::start(mode);
        service.stop_reading();
        service.survives("/panic").await;
        service.survives("/panic").await;
        service.end();
    }
}

struct Service {
    process: Child,
    addr: SocketAddr,
}

impl Service {
    fn start(mode: &str) -> Self {
        let mut process = process::test_alone("panics::child")
            .env(MODE, mode)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.as_mut().unwrap());
        let mut lines = stdout.lines().map(Result::unwrap);
        let addr = lines.find_map(|line| line.strip_prefix(LISTENING)?.parse().ok());
        Self {
            addr: addr.expect("it says where it listens"),
            process,
        }
    }

    fn stop_reading(&mut self) {
        drop((self.process.stdout.take(), self.process.stderr.take()));
    }

    /// Each request of this path panics, and the next one is answered.
    async fn survives(&self, path: &str) {
        for n in 0..TIMES {
            for (path, status) in [(path, 500), ("/id", 200)] {
                let id = format!("click-{n}");
                let mut connection = Connection::open(self.addr).await.unwrap();
                let response = connection.get(path, &[("x-correlation-id", &id)]).await;
                let response = response.unwrap_or_else(|error| panic!("{path}: {error}"));
                assert_eq!(response.status, status, "{path}");
                assert_eq!(response.values("x-correlation-id"), [id.as_str()], "{path}");
            }
        }
    }

    fn end(mut self) -> Output {
        // The signal to end. It ended well if nothing else ended it before.
        drop(self.process.stdin.take());
        let output = process::ended(self.process).unwrap();
        assert!(output.status.success(), "{output:?}");
        output
    }
}

/// The service, not a test of its own.
#[test]
#[ignore = "it is the process of the tests above"]
fn child() {
    let Ok(mode) = env::var(MODE) else { return };
    let log = tracing_subscriber::fmt().with_ansi(false);
    log.with_writer(correlation::tag(Mutex::new(Log))).init();
    if mode.contains("hook") {
        correlation::panic::install();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let serve = async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("\n{LISTENING}{}", listener.local_addr().unwrap());
        let policy = Policy::new().access_record(mode.contains("access"));
        let app = Router::new()
            .route("/id", get(async || app::id()))
            .route("/record", get(record))
            .route("/write", get(async || tracing::info!("{UNWRITABLE}")))
            .route("/panic", get(panic))
            // Not `new()`, which logs what it has caught, and so may panic itself.
            .layer(CatchPanicLayer::custom(|_| {
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }))
            .layer(CorrelationLayer::new().policy(policy));
        axum::serve(listener, app).await
    };
    runtime.spawn(serve);
    io::stdin().read_line(&mut String::new()).unwrap();
    // Not through the test harness, which panics if nobody reads what it prints.
    std::process::exit(0);
}

async fn record() {
    let span = tracing::info_span!("request", user = Empty);
    span.in_scope(|| span.record("user", display(Unprintable)));
}

async fn panic() {
    panic!("boom");
}

struct Unprintable;

impl fmt::Display for Unprintable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("cannot be shown")
    }
}

/// Standard output, but for one message.
struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let has = |text: &str| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        assert!(!has(UNWRITABLE), "cannot be written");
        io::stdout().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

const MODE: &str = "PANICS_CHILD";
const LISTENING: &str = "listening on ";
const UNWRITABLE: &str = "unwritable";
const TAG: &str = " correlation_id=click-";
