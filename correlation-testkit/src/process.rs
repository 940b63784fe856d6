//! Child processes of tests.

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Waits for the end of a process and collects the output of its pipes.
///
/// A process that hangs is killed after the deadline. Then its status says so, and the output until
/// then is there.
///
/// # Errors
///
/// The errors of [`Child::wait_with_output`].
pub fn ended(child: Child) -> io::Result<Output> {
    let id = child.id().to_string();
    let (done, is_done) = channel::<()>();
    let watch = move || {
        if is_done.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
            eprintln!("process {id} hangs, and is killed");
            kill("KILL", &id);
        }
    };
    let watch = thread::spawn(watch);
    let output = child.wait_with_output();
    drop(done);
    let _ = watch.join();
    output
}

/// Runs a command to its end, and returns its standard output.
///
/// # Errors
///
/// If it does not start, or its status is not 0. The error is its output on both streams.
pub fn run(command: &mut Command) -> Result<String, String> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.spawn().and_then(ended);
    succeeded(command, output)
}

pub(crate) fn succeeded(command: &Command, output: io::Result<Output>) -> Result<String, String> {
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if output.status.success() {
        return Ok(stdout);
    }
    Err(format!(
        "{command:?}: {}\n{stdout}\n{stderr}",
        output.status
    ))
}

/// Returns a command that runs one test of this test program again, in a separate process.
///
/// # Panics
///
/// If the program is gone.
#[must_use]
pub fn test_alone(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("the program that runs"));
    command.args([
        "--exact",
        name,
        "--include-ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    command
}

/// A process that runs, and the lines that it prints.
///
/// When this value is dropped, it kills the process and the processes that the process has started.
/// If the test has failed, it prints the lines.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    /// Starts the process.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program is there");
        let (sender, lines) = channel();
        read(child.stdout.take(), sender.clone());
        read(child.stderr.take(), sender);
        let seen = Vec::new();
        Self { child, lines, seen }
    }

    /// Waits for the next line of either stream.
    ///
    /// # Panics
    ///
    /// If there is none within the deadline.
    pub fn next_line(&mut self) -> &str {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => self.seen.push(line),
            Err(error) => panic!("{error}, after:\n{}", self.seen.join("\n")),
        }
        self.seen.last().map_or("", String::as_str)
    }

    /// Waits for the first line for which `find` returns a value. It also looks at the earlier
    /// lines.
    ///
    /// # Panics
    ///
    /// If there is none within the deadline.
    pub fn wait_for<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> T {
        if let Some(found) = self.seen.iter().find_map(|line| find(line)) {
            return found;
        }
        loop {
            if let Some(found) = find(self.next_line()) {
                return found;
            }
        }
    }

    /// Returns the URL of a service, once it prints where it listens.
    ///
    /// # Panics
    ///
    /// If it does not print that within the deadline.
    pub fn url(&mut self) -> String {
        let address = |line: &str| {
            let rust = line.strip_prefix("listening on ");
            let uvicorn = line.split_once("Uvicorn running on http://");
            let (address, _) = rust.or(uvicorn.map(|(_, rest)| rest))?.split_once(' ')?;
            Some(format!("http://{address}"))
        };
        self.wait_for(|line| address(&format!("{line} ")))
    }

    /// Waits until the process accepts connections at this port of 127.0.0.1. It is for programs
    /// that do not print when they do.
    ///
    /// # Panics
    ///
    /// If the process ends, or accepts no connection within the deadline.
    pub fn accepts(&mut self, port: u16) {
        let late = Instant::now() + DEADLINE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let runs = matches!(self.child.try_wait(), Ok(None));
            assert!(runs && Instant::now() < late, "nobody listens at {port}");
            // Only another attempt shows it.
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks the process to end, waits for its end, and returns all lines.
    ///
    /// # Panics
    ///
    /// If that takes too long, or the process fails.
    pub fn end(mut self) -> Vec<String> {
        self.signal("TERM");
        let (status, lines) = self.wait();
        // Some programs shut down in order, and still end by the signal.
        let asked = status.success() || status.to_string().contains("SIGTERM");
        assert!(asked, "{status}\n{}", lines.join("\n"));
        lines
    }

    /// Sends the process a signal, such as `TERM`.
    pub fn signal(&mut self, signal: &str) {
        if matches!(self.child.try_wait(), Ok(None)) {
            kill(signal, &self.child.id().to_string());
        }
    }

    /// Waits until the process and all processes that it has started have ended. Returns its status
    /// and all lines.
    ///
    /// # Panics
    ///
    /// If that takes too long.
    pub fn wait(&mut self) -> (ExitStatus, Vec<String>) {
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("{error}, after:\n{}", self.seen.join("\n")),
            }
        }
        let status = self.child.wait().expect("it has ended");
        (status, std::mem::take(&mut self.seen))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            kill("KILL", &format!("-{}", self.child.id()));
            let _ = self.child.wait();
        }
        if thread::panicking() {
            self.seen.extend(self.lines.try_iter());
            eprintln!("process {}:\n{}", self.child.id(), self.seen.join("\n"));
        }
    }
}

fn read(stream: Option<impl Read + Send + 'static>, lines: Sender<String>) {
    let stream = stream.expect("a pipe");
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // If nobody listens any more, it still reads, so that the process can write.
            let _ = lines.send(line);
        }
    });
}

/// Runs the `kill` of the shell, because not every machine has a program of that name.
fn kill(signal: &str, whom: &str) {
    let mut shell = Command::new("sh");
    let _ = shell
        .args(["-c", "kill -s \"$0\" -- \"$1\"", signal, whom])
        .status();
}

/// The time after which anything counts as lost. A test that passes never waits for it.
pub const DEADLINE: Duration = Duration::from_secs(90);
