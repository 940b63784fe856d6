//! A service as its operator sees it: a process with an environment, two streams and signals.

use std::io;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{in_time, invalid};

/// A running service. When this value is dropped, it kills the service.
#[derive(Debug)]
pub struct Service {
    process: Process,
    addr: SocketAddr,
}

/// The output of a process that has ended.
#[derive(Debug)]
pub struct Output {
    /// The exit status.
    pub status: ExitStatus,
    /// The lines of standard output: the log records.
    pub stdout: Vec<String>,
    /// The lines of standard error.
    pub stderr: Vec<String>,
}

impl Service {
    /// Starts a service on a free loopback port, with only this environment.
    ///
    /// # Errors
    ///
    /// If it does not print within the deadline where it listens.
    pub async fn start(exe: &str, env: &[(&str, &str)]) -> io::Result<Self> {
        let mut process = Process::spawn(exe, env)?;
        // The sender is dropped when standard error ends, so the test does not wait for a process
        // that has ended.
        match in_time(async { Ok((&mut process.listens).await) }).await? {
            Ok(addr) => {
                let addr = addr.parse().map_err(|_| invalid(format!("{addr:?}")))?;
                Ok(Self { process, addr })
            }
            Err(_) => {
                let Output { status, stderr, .. } = process.ended().await?;
                Err(invalid(format!("{exe} {env:?}: {status}, {stderr:?}")))
            }
        }
    }

    /// Returns the address where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Sends SIGTERM.
    ///
    /// # Errors
    ///
    /// If the process no longer exists.
    pub async fn signal(&self) -> io::Result<()> {
        let gone = || invalid("has ended by itself".to_owned());
        let id = self.process.child.id().ok_or_else(gone)?.to_string();
        // It is the `kill` of the shell, because not every machine has a program of that name.
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -TERM \"$0\"", &id]);
        match in_time(kill.status()).await? {
            status if status.success() => Ok(()),
            status => Err(invalid(format!("kill {id}: {status}"))),
        }
    }

    /// Waits for the end, which must be a success.
    ///
    /// # Errors
    ///
    /// If it takes too long, the status is not 0, or the service did not print exactly once where
    /// it listens.
    pub async fn ended(self) -> io::Result<Output> {
        let output = self.process.ended().await?;
        let Output { status, stderr, .. } = &output;
        if !status.success() {
            return Err(invalid(format!("want status 0, got {status}: {stderr:?}")));
        }
        let said = stderr.iter().filter(|line| line.starts_with(LISTENING));
        match said.count() {
            1 => Ok(output),
            times => Err(invalid(format!("{LISTENING:?} {times} times: {stderr:?}"))),
        }
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Errors
    ///
    /// The errors of [`Service::signal`] and [`Service::ended`].
    pub async fn terminate(self) -> io::Result<Output> {
        self.signal().await?;
        self.ended().await
    }
}

/// Runs a process that must end by itself.
///
/// # Errors
///
/// If it takes too long. Then the process is killed.
pub async fn run_to_end(exe: &str, env: &[(&str, &str)]) -> io::Result<Output> {
    Process::spawn(exe, env)?.ended().await
}

#[derive(Debug)]
struct Process {
    child: Child,
    listens: oneshot::Receiver<String>,
    stdout: JoinHandle<io::Result<Vec<String>>>,
    stderr: JoinHandle<io::Result<Vec<String>>>,
}

impl Process {
    fn spawn(exe: &str, env: &[(&str, &str)]) -> io::Result<Self> {
        let mut command = Command::new(exe);
        command.env_clear().env("LISTEN", "127.0.0.1:0");
        command.envs(env.iter().copied());
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        let missing = || invalid("no pipe".to_owned());
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let (says, listens) = oneshot::channel();
        Ok(Self {
            child,
            listens,
            stdout: tokio::spawn(lines(stdout, None)),
            stderr: tokio::spawn(lines(stderr, Some(says))),
        })
    }

    async fn ended(mut self) -> io::Result<Output> {
        Ok(Output {
            status: in_time(self.child.wait()).await?,
            stdout: in_time(async { self.stdout.await? }).await?,
            stderr: in_time(async { self.stderr.await? }).await?,
        })
    }
}

/// Collects lines until the stream ends, and sends the first address that they name.
async fn lines(
    stream: impl AsyncRead + Unpin,
    mut says: Option<oneshot::Sender<String>>,
) -> io::Result<Vec<String>> {
    let mut stream = BufReader::new(stream);
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    while stream.read_until(b'\n', &mut line).await? > 0 {
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned();
        line.clear();
        if let Some(addr) = text.strip_prefix(LISTENING)
            && let Some(says) = says.take()
        {
            // No code waits for it if the process must end by itself.
            says.send(addr.to_owned()).ok();
        }
        lines.push(text);
    }
    Ok(lines)
}

pub(super) const LISTENING: &str = "listening on ";
