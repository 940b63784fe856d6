//! Child processes of tests.

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Waits for the end of a process and collects what its pipes give. A process that hangs is killed
/// after a while: then its status says so, and what it printed until then is there.
///
/// # Errors
///
/// Those of [`Child::wait_with_output`].
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

/// Runs a command to its end, and gives what it wrote to standard output.
///
/// # Errors
///
/// If it does not start or its status is not 0: what it wrote to both streams.
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

/// This test program anew, with one test of it alone: what needs a process of its own.
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

/// A process that runs, and the lines that it prints. Dropped, it is killed, and with it the
/// processes that it has started; if the test has failed, its lines are printed.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    /// Starts it.
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
    /// If none comes in time.
    pub fn next_line(&mut self) -> &str {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => self.seen.push(line),
            Err(error) => panic!("{error}, after:\n{}", self.seen.join("\n")),
        }
        self.seen.last().map_or("", String::as_str)
    }

    /// Waits for the first line that ends the search, also among those that came before.
    ///
    /// # Panics
    ///
    /// If none comes in time.
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

    /// The URL of a service, once it says where it listens.
    ///
    /// # Panics
    ///
    /// If it does not say so in time.
    pub fn url(&mut self) -> String {
        let address = |line: &str| {
            let rust = line.strip_prefix("listening on ");
            let uvicorn = line.split_once("Uvicorn running on http://");
            let (address, _) = rust.or(uvicorn.map(|(_, rest)| rest))?.split_once(' ')?;
            Some(format!("http://{address}"))
        };
        self.wait_for(|line| address(&format!("{line} ")))
    }

    /// Waits until it accepts connections at this port of 127.0.0.1: for programs that do not say
    /// when they do.
    ///
    /// # Panics
    ///
    /// If it ends, or none is accepted in time.
    pub fn accepts(&mut self, port: u16) {
        let late = Instant::now() + DEADLINE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let runs = matches!(self.child.try_wait(), Ok(None));
            assert!(runs && Instant::now() < late, "nobody listens at {port}");
            // The only way to see it is to ask again.
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks it to end, waits for that, and gives all lines.
    ///
    /// # Panics
    ///
    /// If it takes too long, or fails.
    pub fn end(mut self) -> Vec<String> {
        self.signal("TERM");
        let (status, lines) = self.wait();
        // Some programs end in order, and then by the signal all the same.
        let asked = status.success() || status.to_string().contains("SIGTERM");
        assert!(asked, "{status}\n{}", lines.join("\n"));
        lines
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&mut self, signal: &str) {
        if matches!(self.child.try_wait(), Ok(None)) {
            kill(signal, &self.child.id().to_string());
        }
    }

    /// Waits for the end of it and of all that it has started. Gives how it ended, and all lines.
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
            // Once nobody listens: read on, so that the process can write.
            let _ = lines.send(line);
        }
    });
}

/// The shell's own `kill`: the program of that name is not everywhere.
fn kill(signal: &str, whom: &str) {
    let mut shell = Command::new("sh");
    let _ = shell
        .args(["-c", "kill -s \"$0\" -- \"$1\"", signal, whom])
        .status();
}

/// How long anything may take until it counts as lost. A test that passes never waits for it.
pub const DEADLINE: Duration = Duration::from_secs(90);
