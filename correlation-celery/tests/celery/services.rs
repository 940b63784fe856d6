//! What tests with Python need and a machine may lack: servers, and a virtual environment, which
//! all of them share. The tests of the examples include this file.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The Python with all packages if these servers on this machine are there. If not: says so and
/// gives `None`, or panics if `CORRELATION_REQUIRE_SERVICES=1`.
pub(crate) fn python_and(servers: &[(&str, u16)]) -> Option<PathBuf> {
    let ready = servers.iter().copied().try_for_each(reachable);
    match ready.and_then(|()| python()) {
        Ok(python) => Some(python),
        Err(reason) if required() => panic!("CORRELATION_REQUIRE_SERVICES=1, but {reason}"),
        Err(reason) => {
            eprintln!("skipped: {reason}");
            None
        }
    }
}

fn required() -> bool {
    std::env::var_os("CORRELATION_REQUIRE_SERVICES").is_some_and(|value| value == "1")
}

fn reachable((name, port): (&str, u16)) -> Result<(), String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpStream::connect_timeout(&address, Duration::from_secs(2))
        .map(drop)
        .map_err(|_| format!("no {name} at {address}"))
}

/// A virtual environment below the target directory. Only a run that requires the services
/// installs it: a plain `cargo test` must not download anything.
fn python() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let venv = home.join("python-venv");
    let (python, installed) = (venv.join("bin/python"), venv.join("installed.txt"));
    let complete = || fs::read_to_string(&installed).is_ok_and(|had| had == REQUIREMENTS);
    if complete() {
        return Ok(python);
    }
    if !required() {
        return Err(
            "no Python with celery and fastapi: a run with CORRELATION_REQUIRE_SERVICES=1 \
             installs them from PyPI below the target directory, later runs use them"
                .to_owned(),
        );
    }
    // Tests run in parallel, and under nextest in processes of their own.
    fs::create_dir_all(home).map_err(|error| error.to_string())?;
    let lock = File::create(home.join("python-venv.lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if !complete() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&venv))?;
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet"])
            .args(REQUIREMENTS.lines()))?;
        // Last, so that half an installation is none.
        fs::write(&installed, REQUIREMENTS).map_err(|error| error.to_string())?;
    }
    Ok(python)
}

/// Runs a command to its end and gives its output.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {}\n{said}", output.status))
}

const REQUIREMENTS: &str = include_str!("python/requirements.txt");
