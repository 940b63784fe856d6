//! The program, its processes and its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// The demo while it serves.
pub(crate) struct Shop {
    demo: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Shop {
    pub(crate) async fn open(logs: &Path) -> Self {
        Self::open_with(logs, &[]).await
    }

    pub(crate) async fn open_with(logs: &Path, env: &[(&str, &str)]) -> Self {
        let mut demo = storefront(&["--logs", logs.to_str().unwrap()])
            .envs(env.iter().copied())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(demo.stdout.take().unwrap());
        let url = timeout(PATIENCE, async {
            loop {
                let mut line = String::new();
                let read = stdout.read_line(&mut line).await.unwrap();
                assert_ne!(read, 0, "it has ended");
                if let Some(rest) = line.strip_prefix("the shop is open at ") {
                    break rest.split(';').next().unwrap().to_owned();
                }
            }
        });
        let url = url.await.expect("it opens in time");
        Self { demo, stdout, url }
    }

    /// Buys a cup under this ID; gives the answer's status and text.
    pub(crate) async fn buy(&self, id: &str, card: &str) -> (u16, String) {
        self.buy_item(id, card, "cup").await
    }

    pub(crate) async fn buy_item(&self, id: &str, card: &str, sku: &str) -> (u16, String) {
        let body =
            format!(r#"{{"cart":7,"card":"{card}","items":[{{"sku":"{sku}","quantity":1}}]}}"#);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .post(format!("{}/purchase", self.url))
            .header("content-type", "application/json")
            .header("x-correlation-id", id)
            .body(body)
            .send();
        let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
        assert_eq!(answer.headers()["x-correlation-id"], id);
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn signal(&mut self, signal: &str) -> (Option<i32>, String) {
        kill(signal, self.demo.id().unwrap());
        self.end().await
    }

    /// Waits for the end of the demo and of all its services.
    pub(crate) async fn end(&mut self) -> (Option<i32>, String) {
        let end = timeout(PATIENCE, async {
            let (mut rest, mut stderr) = (String::new(), String::new());
            self.stdout.read_to_string(&mut rest).await.unwrap();
            let from = self.demo.stderr.as_mut().unwrap();
            from.read_to_string(&mut stderr).await.unwrap();
            (self.demo.wait().await.unwrap().code(), stderr)
        });
        end.await.expect("all processes end in time")
    }
}

pub(crate) async fn run(args: &[&str]) -> Output {
    let output = timeout(PATIENCE, storefront(args).output()).await;
    output.expect("it ends in time").unwrap()
}

pub(crate) fn storefront(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storefront"));
    for variable in ["DATABASE_URL", "QUEUE_URL", "QUEUE"] {
        command.env_remove(variable);
    }
    command.args(args).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// A folder for the log files of one test. The demo creates it.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("storefront-{name}"));
    fs::remove_dir_all(&path).ok();
    path
}

pub(crate) fn records(logs: &Path) -> Vec<String> {
    let files = SERVICES.map(|service| fs::read_to_string(log_file(logs, service)).unwrap());
    let lines = files.iter().flat_map(|file| file.lines());
    lines.map(str::to_owned).collect()
}

pub(crate) fn log_file(logs: &Path, service: &str) -> PathBuf {
    logs.join(format!("{service}.log"))
}

/// The process of a service, which it tells in its first record, in JSON or text.
pub(crate) fn pid(logs: &Path, service: &str) -> u32 {
    let log = fs::read_to_string(log_file(logs, service)).unwrap();
    let start = log.lines().find(|line| line.contains("listening")).unwrap();
    assert!(!start.contains("correlation_id"), "{start}");
    let (_, pid) = start.split_once("pid").unwrap();
    let pid = pid.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = pid.find(|c: char| !c.is_ascii_digit()).unwrap_or(pid.len());
    pid[..end].parse().unwrap()
}

pub(crate) fn pids(logs: &Path) -> Vec<u32> {
    let started = SERVICES.iter().filter(|service| {
        fs::read_to_string(log_file(logs, service)).is_ok_and(|log| log.contains("listening"))
    });
    started.map(|service| pid(logs, service)).collect()
}

pub(crate) fn assert_gone(logs: &Path) {
    for pid in pids(logs) {
        assert!(!kill("0", pid), "process {pid} is still there");
    }
}

/// Whether the signal could be sent.
pub(crate) fn kill(signal: &str, pid: u32) -> bool {
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &format!("kill -{signal} {pid}")])
        .stderr(Stdio::null());
    shell.status().unwrap().success()
}

pub(crate) fn assert_failed(output: &Output, code: i32, named: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for name in named {
        assert!(said.contains(name), "{name} is missing: {said}");
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) const SERVICES: [&str; 5] = ["gateway", "orders", "payments", "shipping", "worker"];
/// For a busy machine: nothing here takes longer than a second or two.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
