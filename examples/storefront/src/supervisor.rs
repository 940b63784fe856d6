//! Child processes that start one after the other and end together.
//!
//! Each child has the read end of a pipe as its standard input, and ends when that is closed. The
//! supervisor closes it to end the child. It is also closed if the supervisor is killed.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Failure;

/// Starts processes and ends them. On drop, it kills the processes that still run.
#[derive(Debug)]
pub(crate) struct Supervisor {
    running: Vec<Running>,
    /// The reasons of processes that ended without being asked.
    ended: mpsc::UnboundedReceiver<String>,
    report: mpsc::UnboundedSender<String>,
}

#[derive(Debug)]
struct Running {
    /// If it is dropped, the child ends in its own time.
    lifeline: ChildStdin,
    /// If it is dropped, the child is killed.
    kill: oneshot::Sender<()>,
    watcher: JoinHandle<()>,
}

impl Supervisor {
    pub(crate) fn new() -> Self {
        let (report, ended) = mpsc::unbounded_channel();
        Self {
            running: Vec::new(),
            ended,
            report,
        }
    }

    /// Starts a process, and waits until it prints its address, or that it is ready. Its later
    /// output also goes to `log`.
    pub(crate) async fn start(
        &mut self,
        name: &'static str,
        log: File,
        mut command: Command,
    ) -> Result<Option<SocketAddr>, Failure> {
        // The child inherits standard output, but writes nothing there. So a reader of our standard
        // output that reaches its end knows that all processes are gone.
        command
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Ctrl-C in a terminal reaches a whole process group. Only this process handles it, and
        // ends the others in order.
        #[cfg(unix)]
        command.process_group(0);

        let not_started = |why: &dyn fmt::Display| format!("{name} did not start: {why}");
        let mut child = command.spawn().map_err(|error| not_started(&error))?;
        let pipes = child.stdin.take().zip(child.stderr.take());
        let (lifeline, stderr) = pipes.ok_or_else(|| not_started(&"it has no pipes"))?;
        let (kill, killed) = oneshot::channel();
        let watcher = tokio::spawn(watch(name, child, killed, self.report.clone()));
        // This comes before the wait below, so that `stop` ends it in order even if it never gets
        // ready.
        self.running.push(Running {
            lifeline,
            kill,
            watcher,
        });

        let mut said = BufReader::new(stderr).lines();
        let addr = timeout(START, listening(&mut said))
            .await
            .map_err(|_| not_started(&format_args!("not ready within {START:?}")))?
            .map_err(|words| not_started(&words))?;
        tokio::spawn(pass_on(name, log, said));
        Ok(addr)
    }

    /// Waits until some process ends, and returns a text about it. Without a process it never
    /// returns.
    pub(crate) async fn ended(&mut self) -> String {
        match self.ended.recv().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    }

    /// Ends all processes. The one that was started last ends first, because it uses the others. A
    /// process that does not end in time is killed.
    pub(crate) async fn stop(mut self) {
        while let Some(mut running) = self.running.pop() {
            drop(running.lifeline);
            if timeout(STOP, &mut running.watcher).await.is_err() {
                drop(running.kill);
                let _ = running.watcher.await;
            }
        }
    }
}

/// Reads until a process prints where it listens, if it does. The error is its other output.
async fn listening(said: &mut Lines<BufReader<ChildStderr>>) -> Result<Option<SocketAddr>, String> {
    let mut words = Vec::new();
    while let Ok(Some(line)) = said.next_line().await {
        match line.strip_prefix("listening on ").map(str::parse) {
            Some(Ok(addr)) => return Ok(Some(addr)),
            None if line == READY => return Ok(None),
            _ => words.push(line),
        }
    }
    Err(if words.is_empty() {
        "it ended without any output".to_owned()
    } else {
        words.join("; ")
    })
}

/// Passes on the later output of a process, such as the report of a panic. It goes to our own
/// standard error and to the log file of the process, as containers have both in one log.
async fn pass_on(name: &'static str, mut log: File, mut said: Lines<BufReader<ChildStderr>>) {
    while let Ok(Some(line)) = said.next_line().await {
        // It is one write, because the process writes to this file as well.
        let _ = log.write_all(format!("{line}\n").as_bytes());
        // It does not use `eprintln!`, which panics if nothing reads it.
        let _ = writeln!(io::stderr(), "{name}: {line}");
    }
}

/// Waits for the end of a process. It kills the process if `killed` is dropped.
async fn watch(
    name: &'static str,
    mut child: Child,
    killed: oneshot::Receiver<()>,
    report: mpsc::UnboundedSender<String>,
) {
    let status = tokio::select! {
        status = child.wait() => status,
        _ = killed => {
            let _ = child.kill().await;
            return;
        }
    };
    // Nothing listens any more once all processes have to end.
    let _ = report.send(match status {
        Ok(status) => format!("{name} has ended unexpectedly: {status}"),
        Err(error) => format!("{name} cannot be watched: {error}"),
    });
}

/// The text with which a process that has no address reports on standard error that it is ready.
pub(crate) const READY: &str = "ready";

/// The time that a process may take to start and to end.
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(3);
