//! RQ itself: a worker, a producer, and its command line.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use correlation_testkit::process::{DEADLINE, Running, run};
use correlation_testkit::services;
use serde_json::Value;

use super::redis_keys::{call, rust_queue};

/// The Python of all tests, if Redis is there.
pub(crate) fn python() -> Option<Python> {
    let python = services::python_and(env!("CARGO_TARGET_TMPDIR"), &[("Redis", 6379)])?;
    Some(Python(python.parent().unwrap().to_owned()))
}

pub(crate) struct Python(PathBuf);

impl Python {
    /// A program of the environment, with the example's file and the jobs of the tests.
    fn command(&self, program: &str, queue: &str) -> Command {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (example, tests) = (here.join("python"), here.join("tests/queues/python"));
        let mut command = Command::new(self.0.join(program));
        command
            .current_dir(&tests)
            .env(
                "PYTHONPATH",
                std::env::join_paths([&example, &tests]).unwrap(),
            )
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("REPORTS", reports(queue))
            .env("RUST_QUEUE", rust_queue(queue));
        command
    }

    /// Enqueues jobs from a Python process; gives their IDs in RQ.
    pub(crate) fn enqueue(
        &self,
        queue: &str,
        jobs: impl IntoIterator<Item = Value>,
    ) -> Vec<String> {
        let lines: String = jobs.into_iter().map(|job| format!("{job}\n")).collect();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(queue);
        fs::write(&path, lines).unwrap();
        let mut command = self.command("python", queue);
        command
            .args(["enqueue.py", queue])
            .stdin(File::open(&path).unwrap());
        let said = run(&mut command).unwrap();
        fs::remove_file(path).unwrap();
        said.lines().map(str::to_owned).collect()
    }

    /// `rq requeue`, as an operator does it.
    pub(crate) fn requeue(&self, queue: &str, job: &str) {
        let mut command = self.command("rq", queue);
        command.args(["requeue", "--queue", queue, job]).args(JSON);
        run(&mut command).unwrap();
    }

    pub(crate) fn worker(&self, queue: &str) -> Worker {
        let mut command = self.command("rq", queue);
        command
            .args([
                "worker",
                queue,
                "--quiet",
                "--job-class",
                "correlation_rq.CorrelatedJob",
            ])
            .args(JSON)
            .args(["--name", queue]);
        Worker {
            _process: Running::start(&mut command),
            reports: reports(queue),
        }
    }
}

/// A worker of RQ, and what its jobs say.
pub(crate) struct Worker {
    _process: Running,
    reports: String,
}

impl Worker {
    pub(crate) async fn report(&self) -> Value {
        let redis = &mut queues::redis_connection::connect().await.unwrap();
        let seconds = DEADLINE.as_secs().to_string();
        let arguments = [self.reports.as_bytes(), seconds.as_bytes()];
        let report: Option<(String, Vec<u8>)> = call(redis, "BLPOP", &arguments).await;
        serde_json::from_slice(&report.expect("a report of the Python job").1).unwrap()
    }
}

fn reports(queue: &str) -> String {
    format!("{queue}-reports")
}

const JSON: [&str; 2] = ["--serializer", "rq.serializers.JSONSerializer"];
