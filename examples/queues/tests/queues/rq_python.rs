//! RQ itself: a worker, a producer, and its command line.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::common::{DEADLINE, ready};
use super::redis_keys::{call, rust_queue};

/// The Python with RQ, if that and Redis are there. If not: says so and gives `None`, or panics if
/// `CORRELATION_REQUIRE_SERVICES=1`.
pub(crate) fn python() -> Option<Python> {
    if !ready("Redis", 6379) {
        return None;
    }
    let required =
        std::env::var_os("CORRELATION_REQUIRE_SERVICES").is_some_and(|value| value == "1");
    match environment(required) {
        Ok(home) => Some(Python(home)),
        Err(reason) if required => panic!("CORRELATION_REQUIRE_SERVICES=1, but {reason}"),
        Err(reason) => {
            eprintln!("skipped: {reason}");
            None
        }
    }
}

/// A virtual environment below the target directory. Only a run that requires the services
/// installs it: a plain `cargo test` must not download anything.
fn environment(required: bool) -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let venv = home.join("rq-venv");
    let complete = venv.join("complete");
    if !complete.exists() && !required {
        return Err(
            "no Python with rq: a run with CORRELATION_REQUIRE_SERVICES=1 installs rq from PyPI \
             below the target directory, later runs use it"
                .to_owned(),
        );
    }
    // Tests run in parallel, and under nextest in processes of their own.
    fs::create_dir_all(home).map_err(|error| error.to_string())?;
    let lock = File::create(home.join("rq-venv.lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if !complete.exists() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&venv))?;
        let install = ["-m", "pip", "install", "--quiet", "rq>=2,<4"];
        run(Command::new(venv.join("bin/python")).args(install))?;
        File::create(&complete).map_err(|error| error.to_string())?;
    }
    Ok(venv.join("bin"))
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}\n{said}", output.status))
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
            .args(["--name", queue])
            // Its log has what jobs raise, on purpose.
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            // A group of its own, so that the process that runs a job ends with it.
            .process_group(0);
        Worker {
            process: command.spawn().unwrap(),
            reports: reports(queue),
        }
    }
}

/// A worker of RQ, and what its jobs say.
pub(crate) struct Worker {
    process: Child,
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

impl Drop for Worker {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}

fn reports(queue: &str) -> String {
    format!("{queue}-reports")
}

const JSON: [&str; 2] = ["--serializer", "rq.serializers.JSONSerializer"];
