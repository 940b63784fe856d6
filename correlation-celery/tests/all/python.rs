//! The Python side: worker processes, producers, and what their tasks report.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use correlation_axum::CorrelationLayer;
use correlation_celery::correlation::current;
use correlation_celery::serde_json::{Value, from_str};
use correlation_testkit::process::{DEADLINE, Running, run};
use correlation_testkit::services::{self, unique};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::broker::Broker;

/// A queue with a worker of Celery, and a Rust service that its tasks call.
pub(crate) struct Python {
    python: PathBuf,
    broker: Broker,
    /// The one that the worker reads.
    pub(crate) queue: String,
    /// The one that the test reads.
    pub(crate) rust_queue: String,
    snippet: &'static str,
    report: String,
    reports: UnboundedReceiver<Report>,
    worker: Option<Running>,
}

/// What a task says, and the ID its HTTP call brought.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) over_http: Option<String>,
    pub(crate) said: Value,
}

impl Python {
    pub(crate) async fn start(python: PathBuf, broker: Broker, snippet: &'static str) -> Self {
        let (sender, reports) = unbounded_channel();
        let mut started = Self {
            python,
            broker,
            queue: unique("python"),
            rust_queue: unique("rust"),
            snippet,
            report: serve(sender).await,
            reports,
            worker: None,
        };
        let options = "--loglevel=WARNING --concurrency=1 \
            --without-gossip --without-mingle --without-heartbeat";
        let mut command = started.command();
        command
            // Celery warns of running as root, as containers do.
            .args(["-W", "ignore", "-m", "celery", "--app=app", "worker"])
            .args(options.split_whitespace())
            .arg(format!("--queues={}", started.queue))
            .arg(format!("--hostname={}@%h", started.queue));
        started.worker = Some(Running::start(&mut command));
        started
    }

    fn command(&self) -> Command {
        let mut command = command(&self.python);
        command
            .env("BROKER", self.broker.url())
            .env("QUEUE", &self.queue)
            .env("RUST_QUEUE", &self.rust_queue)
            .env("REPORT", &self.report)
            .env("SNIPPET", self.snippet);
        command
    }

    /// Sends a task from a Python process of its own.
    pub(crate) fn produce(&self, kind: &str, id: &str) {
        run(self.command().args(["produce.py", kind, id])).unwrap();
    }

    /// The next report; tasks that run one after the other report in that order.
    pub(crate) async fn report(&mut self) -> Report {
        tokio::time::timeout(DEADLINE, self.reports.recv())
            .await
            .expect("a report of the Python task")
            .expect("the service runs")
    }
}

/// Python in the directory of the test's modules, with the snippet of the example.
pub(crate) fn command(python: &Path) -> Command {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python);
    command
        .current_dir(here.join("tests/all/python"))
        .env("PYTHONPATH", here.join("../examples/celery"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The Python of all tests, if these servers answer.
pub(crate) fn python_and(servers: &[(&str, u16)]) -> Option<PathBuf> {
    services::python_and(env!("CARGO_TARGET_TMPDIR"), servers)
}

/// An axum service with the layer; gives its URL.
async fn serve(reports: UnboundedSender<Report>) -> String {
    async fn report(State(reports): State<UnboundedSender<Report>>, body: String) {
        let over_http = current().map(String::from);
        let said = from_str(&body).unwrap();
        let _ = reports.send(Report { over_http, said });
    }
    let app = Router::new()
        .route("/", post(report))
        .with_state(reports)
        .layer(CorrelationLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    url
}
