//! The servers and programs that a test needs and a machine may lack.

use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use correlation_core::CorrelationId;

use crate::process::{run, succeeded};

/// Returns whether this server answers on this machine. If it does not, this prints so, and the
/// test has to end.
///
/// # Panics
///
/// If it does not answer and `CORRELATION_REQUIRE_SERVICES=1`.
#[must_use]
pub fn require_service(name: &str, port: u16) -> bool {
    require(reachable(name, port)).is_some()
}

/// Returns the value that was found. If none was found, this prints why.
///
/// # Panics
///
/// If none was found and `CORRELATION_REQUIRE_SERVICES=1`.
pub fn require<T>(found: Result<T, String>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(reason) if required() => panic!("{REQUIRED}=1, but {reason}"),
        Err(reason) => {
            eprintln!("skipped: {reason}");
            None
        }
    }
}

/// Returns a Python with all packages that the tests use, if these servers answer: see [`require`].
/// All tests share the virtual environment, which is below `home`.
///
/// # Panics
///
/// The same as for [`require`].
#[must_use]
pub fn python_and(home: &str, servers: &[(&str, u16)]) -> Option<PathBuf> {
    let mut servers = servers.iter();
    let ready = servers.try_for_each(|(name, port)| reachable(name, *port));
    require(ready.and_then(|()| python(Path::new(home))))
}

/// Only a run that requires services installs it, so a plain `cargo test` downloads nothing.
fn python(home: &Path) -> Result<PathBuf, String> {
    let venv = home.join("python-venv");
    let (python, installed) = (venv.join("bin/python"), venv.join("installed.txt"));
    let complete = || fs::read_to_string(&installed).is_ok_and(|had| had == REQUIREMENTS);
    if complete() {
        return Ok(python);
    }
    if !required() {
        return Err(format!(
            "no Python with the packages: a run with {REQUIRED}=1 installs them from PyPI below \
             the target directory, later runs use them"
        ));
    }
    // Tests run in parallel, and under nextest in separate processes.
    let said = |error: std::io::Error| error.to_string();
    fs::create_dir_all(home).map_err(said)?;
    let lock = File::create(home.join("python-venv.lock")).map_err(said)?;
    lock.lock().map_err(said)?;
    if !complete() {
        let mut make = Command::new("python3");
        run(make.args(["-m", "venv", "--clear"]).arg(&venv))?;
        let mut install = Command::new(&python);
        install.args(["-m", "pip", "install", "--quiet"]);
        let done = install.args(REQUIREMENTS.lines()).output();
        succeeded(&install, done)?;
        // This comes last, so that an incomplete installation does not count.
        fs::write(&installed, REQUIREMENTS).map_err(said)?;
    }
    Ok(python)
}

/// Returns a name for a queue, a table or a file that no other test and no other run has.
#[must_use]
pub fn unique(name: &str) -> String {
    let id = CorrelationId::new().as_str().replace('-', "");
    format!("correlation_{name}_{id}")
}

/// Returns a port of 127.0.0.1 at which nobody listens, for a program that has to be told its port.
///
/// The system gives it to no connection and no listener by itself, and this process gets it once.
/// A port that a listener for port 0 had is no such port: before the program binds it, a connection
/// of another test can have it.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Below the ephemeral ports. A process that runs beside this one begins elsewhere.
    let start = u16::try_from(process::id() % 1000).unwrap_or_default() * 20;
    let next = || 10_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(next)
        .take(20_000)
        .find(free)
        .expect("a free port")
}

fn reachable(name: &str, port: u16) -> Result<(), String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpStream::connect_timeout(&address, Duration::from_secs(2))
        .map(drop)
        .map_err(|_| format!("no {name} at {address}"))
}

fn required() -> bool {
    env::var_os(REQUIRED).is_some_and(|value| value == "1")
}

const REQUIREMENTS: &str = include_str!("requirements.txt");
const REQUIRED: &str = "CORRELATION_REQUIRE_SERVICES";
