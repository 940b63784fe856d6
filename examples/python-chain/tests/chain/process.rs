//! Processes and what they print. The test of `examples/celery` includes this file.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// A running process. Dropped, it is killed, and its children with it.
pub(crate) struct Process {
    child: Child,
    lines: UnboundedReceiver<String>,
    seen: Vec<String>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).spawn().unwrap();
        let (sender, lines) = unbounded_channel();
        tokio::spawn(read(child.stdout.take().unwrap(), sender.clone()));
        tokio::spawn(read(child.stderr.take().unwrap(), sender));
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for the first line that ends the search, also among those that were there before.
    pub(crate) async fn wait_for<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> T {
        let mut looked = 0;
        loop {
            if let Some(found) = self.seen[looked..].iter().find_map(|line| find(line)) {
                return found;
            }
            looked = self.seen.len();
            match timeout(DEADLINE, self.lines.recv()).await {
                Ok(Some(line)) => self.seen.push(line),
                end => panic!("{end:?} in place of the line, after:\n{}", self.all()),
            }
        }
    }

    /// The base URL, once it says where it listens.
    pub(crate) async fn url(&mut self) -> String {
        let url = |line: &str| {
            let rust = line.strip_prefix("listening on ");
            let uvicorn = || {
                line.split_once("Uvicorn running on http://")
                    .map(|(_, rest)| rest)
            };
            let address = rust.or_else(uvicorn)?.split(' ').next()?;
            Some(format!("http://{address}"))
        };
        self.wait_for(url).await
    }

    /// Asks it to end, waits for that, and gives all lines.
    pub(crate) async fn end(mut self) -> Vec<String> {
        self.kill("-TERM", "");
        while let Some(line) = timeout(DEADLINE, self.lines.recv()).await.unwrap() {
            self.seen.push(line);
        }
        let status = timeout(DEADLINE, self.child.wait()).await.unwrap().unwrap();
        // uvicorn ends in order, and then by the signal all the same.
        let asked = status.success() || status.signal() == Some(SIGTERM);
        assert!(asked, "{status}\n{}", self.all());
        std::mem::take(&mut self.seen)
    }

    fn all(&self) -> String {
        self.seen.join("\n")
    }

    /// `whom`: nothing for the process, `-` for its group.
    fn kill(&self, signal: &str, whom: &str) {
        // It has no ID any more when its end was seen.
        if let Some(id) = self.child.id() {
            let id = format!("{whom}{id}");
            let mut kill = std::process::Command::new("kill");
            let _ = kill.args([signal, "--", &id]).status();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill("-KILL", "-");
    }
}

async fn read(stream: impl AsyncRead + Unpin, lines: UnboundedSender<String>) {
    let mut stream = BufReader::new(stream).lines();
    while let Ok(Some(line)) = stream.next_line().await {
        let _ = lines.send(line);
    }
}

const SIGTERM: i32 = 15;
const DEADLINE: Duration = Duration::from_secs(90);
