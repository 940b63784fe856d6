//! A service as a process, from its start to its end: its log is read to the last line.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::ledger::Ledger;
use crate::world::{Framework, World};

/// How a service is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) distrusting: bool,
    /// Trust goes by the address of the peer.
    pub(crate) by_network: bool,
    pub(crate) text: bool,
    pub(crate) participating: bool,
    /// Its log goes through files that are rotated.
    pub(crate) rotated: bool,
}

impl Settings {
    const fn trust(self) -> &'static str {
        match (self.distrusting, self.by_network) {
            (true, false) => "never",
            (true, true) => "10.0.0.0/8,fd00::/8",
            (false, false) => "always",
            (false, true) => "127.0.0.0/8",
        }
    }
}

/// A running service.
pub(crate) struct Life {
    pub(crate) framework: Framework,
    pub(crate) settings: Settings,
    pub(crate) addr: SocketAddr,
    ledger: Mutex<Ledger>,
    stopping: AtomicBool,
    deaf: AtomicBool,
    clients: AtomicUsize,
    child: Mutex<Child>,
    pid: u32,
    readers: Mutex<Vec<JoinHandle<io::Result<()>>>>,
}

impl Life {
    /// Starts a service; waits until it says where it listens.
    pub(crate) fn start(
        framework: Framework,
        settings: Settings,
        world: &Arc<World>,
        directory: PathBuf,
    ) -> io::Result<Arc<Self>> {
        let choose = |yes, one, other| if yes { one } else { other };
        let mut command = Command::new(framework.program()?);
        command.env_clear().env("LISTEN", "127.0.0.1:0");
        command.env("DOWNSTREAM", world.downstream.url());
        command.env("TRUST", settings.trust());
        command.env("LOG_FORMAT", choose(settings.text, "text", "json"));
        let trace = choose(settings.participating, "participate", "forward");
        command.env("TRACE_CONTEXT", trace);
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let none = || io::Error::other("no pipe");
        let stdout = child.stdout.take().ok_or_else(none)?;
        let mut stderr = BufReader::new(child.stderr.take().ok_or_else(none)?);
        let mut line = String::new();
        while !line.starts_with(LISTENING) {
            line.clear();
            if stderr.read_line(&mut line)? == 0 {
                return Err(io::Error::other(format!("{framework:?} does not start")));
            }
        }
        let addr = line.trim_start_matches(LISTENING).trim().parse();
        let addr = addr.map_err(io::Error::other)?;
        let name = format!("{framework:?} {settings:?}");
        let life = Arc::new(Self {
            framework,
            settings,
            addr,
            ledger: Mutex::new(Ledger::new(name, settings.distrusting, settings.text)),
            stopping: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
            clients: AtomicUsize::new(0),
            pid: child.id(),
            child: Mutex::new(child),
            readers: Mutex::default(),
        });
        let (log, reports) = (Arc::clone(&life), Arc::clone(&life));
        let world = Arc::clone(world);
        let readers = vec![
            thread::spawn(move || match settings.rotated {
                true => log.rotate(stdout, &directory, &world),
                false => log.read(stdout),
            }),
            thread::spawn(move || reports.read_reports(stderr)),
        ];
        *lock(&life.readers) = readers;
        Ok(life)
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    /// From here on a connection may end at any time.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The reader of its log dies: it goes on without.
    pub(crate) fn deafen(&self) {
        self.ledger().deafen();
        self.deaf.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_deaf(&self) -> bool {
        self.deaf.load(Ordering::SeqCst)
    }

    /// A client attacks it.
    pub(crate) fn enter(&self) {
        self.clients.fetch_add(1, Ordering::SeqCst);
    }

    /// The client has closed whatever it had.
    pub(crate) fn leave(&self) {
        self.clients.fetch_sub(1, Ordering::SeqCst);
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        lock(&self.child).try_wait().ok().flatten()
    }

    /// Its resident memory, in KiB.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }

    /// Sends SIGTERM, waits for the end, and settles what the log owes.
    pub(crate) fn terminate(&self) -> io::Result<ExitStatus> {
        self.stopping.store(true, Ordering::SeqCst);
        if self.ended().is_none() {
            // The shell's own `kill`: the program of that name is not everywhere.
            let kill = ["-c", "kill -s TERM \"$0\"", &self.pid.to_string()];
            Command::new("sh").args(kill).status()?;
        }
        self.wait()
    }

    /// Waits for its end and that of its clients, and settles what the log owes.
    fn wait(&self) -> io::Result<ExitStatus> {
        let mut status = None;
        for _ in 0..PATIENCE {
            status = self.ended();
            if status.is_some() && self.clients.load(Ordering::SeqCst) == 0 {
                break;
            }
            // The only way to see it is to ask again.
            thread::sleep(Duration::from_millis(20));
        }
        if status.is_none() {
            let _ = lock(&self.child).kill();
        }
        let ended = status.ok_or_else(|| io::Error::other("does not end"));
        for reader in lock(&self.readers).drain(..) {
            reader
                .join()
                .map_err(|_| io::Error::other("a reader has panicked"))??;
        }
        self.ledger().end();
        ended
    }

    fn read(&self, mut log: impl Read) -> io::Result<()> {
        let mut held = Vec::new();
        while !self.is_deaf() && self.fill(&mut log, &mut held)? {
            let end = memchr::memrchr(b'\n', &held).map_or(0, |at| at + 1);
            self.take(&held[..end]);
            held.drain(..end);
        }
        self.take(&held);
        Ok(())
    }

    /// As `logrotate` and its kin: the log goes to a file, a full file is renamed, and is read when
    /// it has another name.
    fn rotate(&self, mut log: impl Read, directory: &Path, world: &World) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let (current, full) = (directory.join("log"), directory.join("log.1"));
        let mut ended = false;
        let mut rest = Vec::new();
        while !ended {
            let mut file = File::create(&current)?;
            let mut written = 0;
            while written < FILE && !ended {
                let mut piece = Vec::new();
                ended = self.is_deaf() || !self.fill(&mut log, &mut piece)?;
                file.write_all(&piece)?;
                written += piece.len();
            }
            fs::rename(&current, &full)?;
            world.count("log files rotated", 1);
            rest.extend(fs::read(&full)?);
            let end = memchr::memrchr(b'\n', &rest).map_or(0, |at| at + 1);
            self.take(&rest[..end]);
            rest.drain(..end);
        }
        self.take(&rest);
        fs::remove_dir_all(directory)
    }

    fn fill(&self, log: &mut impl Read, held: &mut Vec<u8>) -> io::Result<bool> {
        let start = held.len();
        held.resize(start + PIECE, 0);
        let read = log.read(&mut held[start..])?;
        held.truncate(start + read);
        Ok(read > 0)
    }

    fn take(&self, lines: &[u8]) {
        let text = self.settings.text;
        let mut ledger = self.ledger();
        for line in lines.split(|byte| *byte == b'\n') {
            ledger.line(line, text);
        }
    }

    /// Standard error has the reports of panics. Once the log cannot be written, the logger says so
    /// there, in pieces that a report may come between.
    fn read_reports(&self, reports: impl BufRead) -> io::Result<()> {
        for line in reports.split(b'\n') {
            let line = line?;
            if !self.is_deaf() {
                self.ledger().line(&line, self.settings.text);
            }
        }
        Ok(())
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        if matches!(child.try_wait(), Ok(None)) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const LISTENING: &str = "listening on ";
/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;
/// Bytes of a log file before it is rotated.
const FILE: usize = 1024 * 1024;
/// How often it is asked whether it has ended: two minutes.
const PATIENCE: usize = 6000;
