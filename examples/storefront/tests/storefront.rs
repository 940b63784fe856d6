//! The demo as a user runs it: the real program, its five processes and their log files.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

#[tokio::test]
async fn once_tells_the_whole_story_of_one_id() {
    tells_the_whole_story("once", &[]).await;
}

#[tokio::test]
async fn the_story_is_the_same_on_postgresql_and_rabbitmq() {
    let servers = [
        ("PostgreSQL", "127.0.0.1:5432"),
        ("RabbitMQ", "127.0.0.1:5672"),
    ];
    if servers.map(|(name, addr)| answers(name, addr)) == [true; 2] {
        let urls = [("DATABASE_URL", POSTGRESQL), ("QUEUE_URL", RABBITMQ)];
        tells_the_whole_story("servers", &urls).await;
    }
}

#[tokio::test]
async fn the_story_is_the_same_on_other_queues() {
    for (name, addr, url) in [
        ("Redis", "127.0.0.1:6379", "redis://127.0.0.1"),
        ("PostgreSQL", "127.0.0.1:5432", POSTGRESQL),
    ] {
        if answers(name, addr) {
            tells_the_whole_story(name, &[("QUEUE_URL", url)]).await;
        }
    }
}

async fn tells_the_whole_story(name: &str, urls: &[(&str, &str)]) {
    let logs = folder(name);
    let mut demo = storefront(&["--once", "--logs", logs.to_str().unwrap()]);
    let output = timeout(PATIENCE, demo.envs(urls.iter().copied()).output());
    let output = output.await.expect("it ends in time").unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stderr), "");

    let printed = text(&output.stdout);
    let mut lines = printed.lines();
    let id = lines
        .next()
        .and_then(|line| line.strip_prefix("one purchase, HTTP 201, correlation ID "))
        .expect("the first line names the ID");
    let story: Vec<_> = lines
        .by_ref()
        .take_while(|line| !line.starts_with("--"))
        // A busy machine may pause: that is told between the records.
        .filter(|line| !line.contains("ms of silence"))
        .collect();
    let tellers: BTreeSet<_> = story
        .iter()
        .map(|line| line.split_whitespace().nth(2).unwrap())
        .collect();
    assert_eq!(tellers, BTreeSet::from(SERVICES), "{printed}");
    let mut rest = story.iter();
    for told in [
        "gateway INFO purchase started",
        "orders INFO summary=\"INSERT INTO storefront_orders",
        "orders INFO order stored",
        "payments WARN card not charged",
        "orders WARN payment refused, trying once more",
        "payments INFO card charged",
        "shipping INFO label printed",
        "orders INFO order confirmed",
    ] {
        let found = rest.any(|line| words(line).contains(told));
        assert!(found, "{told} is missing:\n{printed}");
    }
    // These are told beside each other.
    for strand in [
        &["gateway INFO purchase finished"][..],
        &[
            "orders INFO summary=\"UPDATE storefront_orders",
            "orders INFO order booked",
        ],
        &[
            "worker INFO mailing receipt order=",
            "worker WARN receipt not mailed",
            "worker INFO mailing receipt order=",
            "worker INFO receipt mailed",
        ],
    ] {
        let mut rest = story.iter();
        for told in strand {
            let found = rest.any(|line| words(line).contains(told));
            assert!(found, "{told} is missing:\n{printed}");
        }
    }
    assert!(!printed.contains("correlation_id"), "{printed}");
    let grep = format!("find it yourself: grep {id} {}/*", logs.display());
    assert_eq!(lines.next(), Some(grep.as_str()));

    // The story is all that the files say under this ID, and they know of no other.
    let records = records(&logs);
    let of_purchase = records
        .iter()
        .filter(|line| line.contains("correlation_id"));
    let of_purchase = of_purchase
        .map(|line| line.contains(id))
        .collect::<Vec<_>>();
    assert_eq!(of_purchase, vec![true; story.len()], "{records:#?}");
    // Every service started, outside of any purchase.
    assert_eq!(pids(&logs).len(), SERVICES.len());
}

/// A line of the story without what is aligned or differs.
fn words(line: &str) -> String {
    let words: Vec<_> = line.split_whitespace().skip(2).collect();
    words.join(" ")
}

/// Whether a server is there. Without one there is nothing to test, unless it has to be there.
fn answers(name: &str, addr: &str) -> bool {
    let answers = TcpStream::connect(addr).is_ok();
    if !answers {
        let required = std::env::var_os("CORRELATION_REQUIRE_SERVICES").is_some_and(|v| v == "1");
        assert!(!required, "no {name} at {addr}");
        println!("skipped: no {name} at {addr}");
    }
    answers
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_one_clear_line() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = closed.local_addr().unwrap();
    drop(closed);
    let logs = folder("unusable");
    for (variable, value, named) in [
        (
            "DATABASE_URL",
            "mysql://shop:secret@localhost",
            "allowed is",
        ),
        ("QUEUE_URL", "kafka://shop:secret@localhost", "allowed is"),
        ("QUEUE_URL", "", "allowed is"),
        (
            "DATABASE_URL",
            &format!("postgres://shop:secret@{addr}/shop"),
            "cannot use",
        ),
        (
            "QUEUE_URL",
            &format!("amqp://shop:secret@{addr}"),
            "cannot use",
        ),
    ] {
        let mut demo = storefront(&["--once", "--logs", logs.to_str().unwrap()]);
        let output = timeout(PATIENCE, demo.env(variable, value).output()).await;
        let output = output.expect("it ends in time").unwrap();
        assert_failed(&output, 1, &[variable, named]);
        assert!(!text(&output.stderr).contains("secret"), "{output:?}");
        assert_gone(&logs);
        fs::remove_dir_all(&logs).ok();
    }
}

#[tokio::test]
async fn each_further_purchase_has_a_story_of_its_own() {
    let logs = folder("further");
    let mut shop = Shop::open(&logs).await;
    let body = r#"{"cart":7,"card":"tok_declined","items":[{"sku":"cup","quantity":1}]}"#;
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("{}/purchase", shop.url))
        .header("content-type", "application/json")
        .header("x-correlation-id", "my-own-id")
        .body(body)
        .send();
    let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
    assert_eq!(answer.status(), 402);
    assert_eq!(answer.headers()["x-correlation-id"], "my-own-id");
    assert!(answer.text().await.unwrap().contains("card declined"));

    shop.signal("TERM").await;
    let records = records(&logs);
    let mine = records.iter().filter(|line| line.contains("my-own-id"));
    let mine = Vec::from_iter(mine)
        .iter()
        .map(|line| line.as_str())
        .collect::<String>();
    for told in ["card not charged", "order cancelled", "purchase failed"] {
        assert!(mine.contains(told), "{told} is missing:\n{mine}");
    }
}

#[tokio::test]
async fn a_signal_ends_all_and_that_is_no_failure() {
    for signal in ["TERM", "INT"] {
        let logs = folder(signal);
        let mut shop = Shop::open(&logs).await;
        let (code, stderr) = shop.signal(signal).await;
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{signal}");
        assert_gone(&logs);
    }
}

#[tokio::test]
async fn the_crash_of_one_service_ends_all() {
    let logs = folder("crash");
    for crashed in SERVICES {
        fs::remove_dir_all(&logs).ok();
        let mut shop = Shop::open(&logs).await;
        kill("KILL", pid(&logs, crashed));
        let (code, stderr) = shop.end().await;
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.starts_with("storefront: "), "{stderr}");
        assert!(stderr.contains(crashed), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert_gone(&logs);
    }
}

#[tokio::test]
async fn the_services_end_even_if_the_demo_is_killed() {
    let logs = folder("killed");
    let mut shop = Shop::open(&logs).await;
    // The services inherit standard output: its end is theirs.
    let (code, _) = shop.signal("KILL").await;
    assert_eq!(code, None);
}

#[tokio::test]
async fn an_unwritable_folder_is_one_clear_line() {
    let file = folder("unwritable").with_extension("txt");
    fs::write(&file, "not a folder").unwrap();
    let logs = file.join("logs");
    let output = run(&["--once", "--logs", logs.to_str().unwrap()]).await;
    assert_failed(&output, 1, &["cannot write to", logs.to_str().unwrap()]);
}

#[tokio::test]
async fn a_taken_port_is_one_clear_line() {
    let logs = folder("taken");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let port = addr.port().to_string();
    let output = run(&["--once", "--port", &port, "--logs", logs.to_str().unwrap()]).await;
    assert_failed(
        &output,
        1,
        &["gateway", "cannot listen on", &addr.to_string()],
    );
    assert_gone(&logs);
}

#[tokio::test]
async fn unknown_arguments_are_one_clear_line() {
    assert_failed(&run(&["--twice"]).await, 2, &["--twice", "--help"]);
    assert_failed(&run(&["serve"]).await, 2, &["service"]);
    assert_failed(&run(&["serve", "orders"]).await, 1, &["LOG_FILE"]);
}

/// The demo while it serves.
struct Shop {
    demo: Child,
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl Shop {
    async fn open(logs: &Path) -> Self {
        let mut demo = storefront(&["--logs", logs.to_str().unwrap()])
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(demo.stdout.take().unwrap());
        let url = timeout(PATIENCE, async {
            loop {
                let mut line = String::new();
                assert!(
                    stdout.read_line(&mut line).await.unwrap() > 0,
                    "it has ended"
                );
                if let Some(rest) = line.strip_prefix("the shop is open at ") {
                    break rest.split(';').next().unwrap().to_owned();
                }
            }
        });
        let url = url.await.expect("it opens in time");
        Self { demo, stdout, url }
    }

    async fn signal(&mut self, signal: &str) -> (Option<i32>, String) {
        kill(signal, self.demo.id().unwrap());
        self.end().await
    }

    /// Waits for the end of the demo and of all its services.
    async fn end(&mut self) -> (Option<i32>, String) {
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

async fn run(args: &[&str]) -> Output {
    let output = timeout(PATIENCE, storefront(args).output()).await;
    output.expect("it ends in time").unwrap()
}

fn storefront(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storefront"));
    command
        .args(args)
        .env_remove("DATABASE_URL")
        .env_remove("QUEUE_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A folder for the log files of one test. The demo creates it.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("storefront-{name}"));
    fs::remove_dir_all(&path).ok();
    path
}

fn records(logs: &Path) -> Vec<String> {
    let files = SERVICES.map(|service| fs::read_to_string(log_file(logs, service)).unwrap());
    files
        .iter()
        .flat_map(|file| file.lines())
        .map(str::to_owned)
        .collect()
}

fn log_file(logs: &Path, service: &str) -> PathBuf {
    logs.join(format!("{service}.log"))
}

/// The process of a service, which it tells in its first record, in JSON or text.
fn pid(logs: &Path, service: &str) -> u32 {
    let log = fs::read_to_string(log_file(logs, service)).unwrap();
    let start = log.lines().find(|line| line.contains("listening")).unwrap();
    assert!(!start.contains("correlation_id"), "{start}");
    let (_, pid) = start.split_once("pid").unwrap();
    let pid = pid.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = pid.find(|c: char| !c.is_ascii_digit()).unwrap_or(pid.len());
    pid[..end].parse().unwrap()
}

fn pids(logs: &Path) -> Vec<u32> {
    let started = SERVICES.iter().filter(|service| {
        fs::read_to_string(log_file(logs, service)).is_ok_and(|log| log.contains("listening"))
    });
    started.map(|service| pid(logs, service)).collect()
}

fn assert_gone(logs: &Path) {
    for pid in pids(logs) {
        assert!(!kill("0", pid), "process {pid} is still there");
    }
}

/// Whether the signal could be sent.
fn kill(signal: &str, pid: u32) -> bool {
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &format!("kill -{signal} {pid}")])
        .stderr(Stdio::null());
    shell.status().unwrap().success()
}

fn assert_failed(output: &Output, code: i32, named: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for name in named {
        assert!(said.contains(name), "{name} is missing: {said}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const SERVICES: [&str; 5] = ["gateway", "orders", "payments", "shipping", "worker"];
const POSTGRESQL: &str = "postgres://postgres@127.0.0.1/test";
const RABBITMQ: &str = "amqp://guest:guest@127.0.0.1:5672";
/// For a busy machine: nothing here takes longer than a second or two.
const PATIENCE: Duration = Duration::from_secs(60);
