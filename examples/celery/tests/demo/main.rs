//! The example as its README has it, over both brokers: a `FastAPI` front, the Rust service, Celery,
//! the Rust worker, all as processes. One ID in the logs of all.
//!
//! `CORRELATION_REQUIRE_SERVICES=1 cargo test -p celery-demo`

#![cfg(unix)]

mod brokers;
mod story;

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;

use correlation_testkit::process::{Running, run};
use correlation_testkit::services;
use correlation_testkit::{TRACE, TRACE_ID};
use futures_util::future::join_all;
use reqwest::Client;

use brokers::{Broker, Queues};

const UUID: &str = "0b7a6c1e-58a1-4c5e-9d4f-2b1c8e7a9f10";

struct Demo {
    front: Running,
    service: Running,
    celery: Running,
    worker: Running,
    front_url: String,
    service_url: String,
}

/// What each process has printed.
struct Logs {
    front: Vec<String>,
    service: Vec<String>,
    celery: Vec<String>,
    worker: Vec<String>,
}

async fn one_id_in_all_logs(broker: Broker) {
    let Some(python) = python_and(&[broker.server()]) else {
        return;
    };
    let queues = Queues::new(broker);
    let mut demo = Demo::start(python.to_str().unwrap(), &queues, None);
    let client = Client::new();
    let none = ("x-other", "");
    let mut ids = Vec::new();

    // The number of the order; where it begins; what the caller sends; the ID that is expected.
    for (order, path, sent, expected) in [
        (
            1,
            "front/buy",
            ("x-correlation-id", "click-1"),
            Some("click-1"),
        ),
        (2, "front/buy", ("x-correlation-id", UUID), Some(UUID)),
        (3, "front/buy", none, None),
        (4, "front/buy", ("x-correlation-id", "not; valid"), None),
        (5, "service/orders", ("traceparent", TRACE), Some(TRACE_ID)),
        (
            6,
            "service/orders",
            ("x-request-id", "click-2"),
            Some("click-2"),
        ),
        (7, "service/orders", none, None),
        (
            8,
            "front/send",
            ("x-correlation-id", "click-3"),
            Some("click-3"),
        ),
        (9, "front/send", none, None),
    ] {
        let id = demo.ask(&client, path, order, sent).await;
        assert!(
            expected.is_none_or(|expected| id == expected),
            "{path}: {id}"
        );
        ids.push((order, path, id));
    }
    let at_once = (10..40).map(|order| {
        let path = ["front/buy", "service/orders", "front/send"][order % 3];
        let own = format!("user-{order}");
        let (demo, client) = (&demo, &client);
        async move {
            let id = demo
                .ask(client, path, order, ("x-correlation-id", &own))
                .await;
            assert_eq!(id, own);
            (order, path, id)
        }
    });
    ids.extend(join_all(at_once).await);
    let distinct: HashSet<_> = ids.iter().map(|(_, _, id)| id).collect();
    assert_eq!(distinct.len(), ids.len());

    for (order, ..) in &ids {
        let shipped = format!(" order shipped order={order} ");
        let found = |line: &str| line.contains(&shipped).then_some(());
        demo.worker.wait_for(found);
    }
    let logs = demo.end();
    queues.delete().await;
    for (order, path, id) in &ids {
        check(&logs, *order, path, id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_in_all_logs_over_redis() {
    one_id_in_all_logs(Broker::Redis).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_id_in_all_logs_over_rabbitmq() {
    one_id_in_all_logs(Broker::RabbitMQ).await;
}

#[test]
fn the_modules_of_the_example_can_be_imported() {
    let Some(python) = python_and(&[]) else {
        return;
    };
    let mut command = Command::new(python);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    run(command.args(["-W", "error", "-c", "import front"])).unwrap();
}

impl Demo {
    fn start(python: &str, queues: &Queues, database: Option<&str>) -> Self {
        let rust = |role: &str| {
            let mut command = queues.command(env!("CARGO_BIN_EXE_celery-demo"));
            command.arg(role).env("LOG_FORMAT", "text");
            command.env_remove("DATABASE_URL");
            command.envs(database.map(|url| ("DATABASE_URL", url)));
            Running::start(&mut command)
        };
        let mut service = rust("service");
        let service_url = service.url();
        let python = |arguments: &str| {
            // Celery warns of running as root, as containers do.
            let mut command = queues.command(python);
            command.args(["-W", "ignore", "-m"]);
            command.args(arguments.split_whitespace());
            command.env("SERVICE", &service_url);
            Running::start(&mut command)
        };
        let celery = python("celery --app=tasks worker --loglevel=INFO --concurrency=2");
        let mut front = python("uvicorn front:app --port=0");
        Self {
            front_url: front.url(),
            front,
            celery,
            worker: rust("worker"),
            service,
            service_url,
        }
    }

    /// Sends an order, and gives the ID that the answer has.
    async fn ask(
        &self,
        client: &Client,
        path: &str,
        order: usize,
        (name, value): (&str, &str),
    ) -> String {
        let (process, path) = path.split_once('/').unwrap();
        let base = match process {
            "front" => &self.front_url,
            _ => &self.service_url,
        };
        let call = client.post(format!("{base}/{path}/{order}"));
        let answer = call.header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let id = &answer.headers()["x-correlation-id"];
        id.to_str().unwrap().to_owned()
    }

    fn end(self) -> Logs {
        Logs {
            front: self.front.end(),
            service: self.service.end(),
            celery: self.celery.end(),
            worker: self.worker.end(),
        }
    }
}

/// The Python of all tests, if these servers answer.
fn python_and(servers: &[(&str, u16)]) -> Option<PathBuf> {
    services::python_and(env!("CARGO_TARGET_TMPDIR"), servers)
}

/// Each process has written what it does for this order, with this ID, once; and nothing about
/// the order has another ID.
#[track_caller]
fn check(logs: &Logs, order: usize, path: &str, id: &str) {
    let bought = path != "front/send";
    let expected = [
        (&logs.front, "order {} is bought", path == "front/buy"),
        (&logs.front, "order {} is sent", path == "front/send"),
        (&logs.service, "order taken order={}", bought),
        (
            &logs.celery,
            "bank is busy, order {} is tried once more",
            bought,
        ),
        (&logs.celery, "order {} charged", bought),
        (&logs.service, "receipt filed order={}", bought),
        (
            &logs.worker,
            "carrier is out, trying once more order={}",
            order % 2 == 1,
        ),
        (&logs.worker, "order shipped order={}", true),
    ];
    for (lines, message, there) in expected {
        let message = message.replace("{}", &order.to_string());
        let starts: Vec<_> = lines
            .iter()
            .filter_map(|line| line.split_once(&format!(" {message} ")))
            .collect();
        assert_eq!(starts.len(), usize::from(there), "{message}: {starts:?}");
        for (_, rest) in starts {
            let found = rest.split("correlation_id=").nth(1).unwrap_or_default();
            assert_eq!(found.split(' ').next(), Some(id), "{message}");
        }
    }
}
