//! Ten thousand messages, and a consumer that is killed in the middle.
//!
//! The consumer is a process of its own, `queues consume BROKER QUEUE`, which writes one line for
//! each message and acknowledges it afterwards. Its lines are all that is looked at.

use std::collections::HashSet;
use std::process::Stdio;

use correlation_core::{CorrelationId, scope};
use correlation_testkit::process::DEADLINE;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use queues::Result;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How many messages each broker gets.
pub(crate) const MESSAGES: u32 = 10_000;

/// How many lines the first consumer may write before it is killed, and a few hundred more, which
/// are in the pipe by then. It cannot come to the end: nobody reads the pipe any further.
const BEFORE_THE_KILL: usize = 3_000;

/// Publishes messages, each under an ID of its own, many at once.
pub(crate) async fn publish(
    numbers: std::ops::Range<u32>,
    produce: impl AsyncFn(String) -> Result,
) {
    let publish = |number: u32| {
        let id: CorrelationId = format!("click-{number}").parse().unwrap();
        scope(id, produce(number.to_string()))
    };
    let all = stream::iter(numbers).map(publish).buffer_unordered(256);
    all.try_collect::<()>().await.unwrap();
}

/// What is in the queue already is handled by a consumer that is killed, and by another one: every
/// message at least once, each under its own ID.
pub(crate) async fn kill_and_restart(broker: &str, queue: &str, env: &[(&str, &str)]) {
    kill_after(async {}, broker, queue, env).await;
}

/// As [`kill_and_restart`], but `moment` has to come before the first consumer is killed. Gives
/// the numbers of messages that were handled by then, and of those that were handled twice.
pub(crate) async fn kill_after(
    moment: impl Future<Output = ()>,
    broker: &str,
    queue: &str,
    env: &[(&str, &str)],
) -> (usize, usize) {
    let mut handled = HashSet::new();
    let mut first = Consumer::start(broker, queue, env);
    let mut lines = 0;
    while lines < BEFORE_THE_KILL {
        handled.insert(first.next().await);
        lines += 1;
    }
    moment.await;
    for number in first.kill().await {
        handled.insert(number);
        lines += 1;
    }
    let before = handled.len();
    assert!(before < MESSAGES as usize, "killed in the middle");

    let mut second = Consumer::start(broker, queue, env);
    while handled.len() < MESSAGES as usize {
        handled.insert(second.next().await);
        lines += 1;
    }
    lines += second.kill().await.len();
    assert!(handled.iter().all(|number| *number < MESSAGES));
    let again = lines - handled.len();
    eprintln!("{broker}: {before} before the kill, {lines} lines in all, {again} for the 2nd time");
    (before, again)
}

/// A consumer process. It is killed at the latest when this is dropped.
pub(crate) struct Consumer {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Consumer {
    pub(crate) fn start(broker: &str, queue: &str, env: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_queues"))
            .args(["consume", broker, queue])
            .env_remove("RUST_LOG")
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// Waits until the consumer says that it listens.
    pub(crate) async fn ready(&mut self) {
        while !self
            .line()
            .await
            .expect("the consumer starts")
            .contains("consumer is ready")
        {}
    }

    /// The number of the next message that was handled, after a look at the ID of its line.
    pub(crate) async fn next(&mut self) -> u32 {
        loop {
            let line = self.line().await.expect("the consumer goes on");
            if let Some(number) = number(&line) {
                return number;
            }
        }
    }

    /// SIGKILL, which no process can delay. Gives what it had handled until then and nobody read.
    pub(crate) async fn kill(mut self) -> Vec<u32> {
        self.process.kill().await.unwrap();
        let mut rest = Vec::new();
        while let Some(line) = self.line().await {
            rest.extend(number(&line));
        }
        rest
    }

    async fn line(&mut self) -> Option<String> {
        let line = tokio::time::timeout(DEADLINE, self.lines.next_line()).await;
        line.expect("a message is handled").unwrap()
    }
}

/// The number of the order that a line is about, if it is about one. Its ID must be that of the
/// click that placed the order.
#[track_caller]
fn number(line: &str) -> Option<u32> {
    let (_, rest) = line.split_once("order shipped number=")?;
    let (number, id) = rest.split_once(" correlation_id=").expect(line);
    assert_eq!(id, format!("click-{number}"), "{line}");
    Some(number.parse().expect(line))
}
