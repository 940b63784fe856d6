//! Servers of a test's own, with settings that a shared server does not have: PostgreSQL with a
//! full log, and PgBouncer.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// A process that ends with the test, and the lines of its log.
pub(crate) struct Server {
    child: Child,
    directory: PathBuf,
    lines: Receiver<String>,
    pub(crate) port: u16,
}

impl Server {
    /// A new PostgreSQL that logs each statement with its `application_name`.
    pub(crate) fn postgres() -> Result<Self, String> {
        let (initdb, postgres) = (program("initdb")?, program("postgres")?);
        let (user, directory, port) = (User::find()?, directory()?, free_port()?);
        let data = directory.join("data");
        user.give(&directory)?;
        let output = user
            .command(&initdb)
            .args([
                "--auth=trust",
                "--username=postgres",
                "--no-sync",
                "--pgdata",
            ])
            .arg(&data)
            .output();
        let output = output.map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!(
                "initdb failed: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let mut command = user.command(&postgres);
        command.arg("-D").arg(&data).arg("-p").arg(port.to_string());
        for setting in [
            "fsync=off",
            "listen_addresses=127.0.0.1",
            "lc_messages=C",
            "log_line_prefix=app=%a ",
            "log_statement=all",
            "unix_socket_directories=",
        ] {
            command.args(["-c", setting]);
        }
        Self::start(command, directory, port, "ready to accept connections")
    }

    /// A PgBouncer in transaction mode, with one connection to the server for all its clients.
    pub(crate) fn bouncer() -> Result<Self, String> {
        let pgbouncer = program("pgbouncer")?;
        let (user, directory, port) = (User::find()?, directory()?, free_port()?);
        let settings = directory.join("pgbouncer.ini");
        let text = format!(
            "[databases]\n\
             test = host=127.0.0.1 port=5432 user=postgres pool_size=1\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = any\n\
             pool_mode = transaction\n\
             ignore_startup_parameters = extra_float_digits\n"
        );
        fs::write(&settings, text).map_err(|error| error.to_string())?;
        user.give(&directory)?;
        let mut command = user.command(&pgbouncer);
        command.arg(&settings);
        Self::start(command, directory, port, "process up")
    }

    fn start(
        mut command: Command,
        directory: PathBuf,
        port: u16,
        ready: &str,
    ) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let stderr = child.stderr.take().ok_or("no standard error")?;
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // The test may be over: read on, so that the server can write.
                let _ = send.send(line);
            }
        });
        let server = Self {
            child,
            directory,
            lines,
            port,
        };
        server.lines_until(ready);
        Ok(server)
    }

    /// The lines of the log since the last call, up to the first that has this text.
    pub(crate) fn lines_until(&self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(Duration::from_secs(60)) {
                Ok(line) => lines.push(line),
                Err(_) => panic!("no line with {text:?}:\n{}", lines.join("\n")),
            }
            if lines.last().is_some_and(|line| line.contains(text)) {
                return lines;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT, on which both end at once and clean up; `kill()` would be SIGKILL.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Who the servers run as: not root, both refuse that.
struct User(Option<(u32, u32)>);

impl User {
    fn find() -> Result<Self, String> {
        if number("-u", None)? != 0 {
            return Ok(Self(None));
        }
        let name = Some("postgres");
        match (number("-u", name), number("-g", name)) {
            (Ok(user), Ok(group)) => Ok(Self(Some((user, group)))),
            _ => Err("no user postgres, and root cannot run a server".to_owned()),
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group).current_dir("/");
        }
        command
    }

    fn give(&self, directory: &Path) -> Result<(), String> {
        match self.0 {
            Some((user, group)) => chown(directory, Some(user), Some(group))
                .map_err(|error| format!("{}: {error}", directory.display())),
            None => Ok(()),
        }
    }
}

fn number(what: &str, user: Option<&str>) -> Result<u32, String> {
    let output = Command::new("id").arg(what).args(user).output();
    let output = output.map_err(|error| format!("id: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .map_err(|_| format!("id {what} says {text:?}"))
}

/// A program, in the path or where Debian keeps PostgreSQL's.
fn program(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = std::env::split_paths(&path).collect();
    places.push("/usr/sbin".into());
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    places.extend(versions.flatten().map(|version| version.path().join("bin")));
    let mut programs = places.into_iter().map(|place| place.join(name));
    programs
        .find(|program| program.is_file())
        .ok_or_else(|| format!("no program {name}"))
}

fn directory() -> Result<PathBuf, String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("correlation-sqlx-{}-{next}", std::process::id());
    // Not below the target directory: the user of the servers may not get there.
    let directory = std::env::temp_dir().join(name);
    fs::create_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    Ok(directory)
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|it| it.local_addr());
    listener
        .map(|address| address.port())
        .map_err(|error| error.to_string())
}
