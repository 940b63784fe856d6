//! Servers of a single test, with settings that a shared server does not have.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Running, run};
use crate::services::{free_port, unique};

/// A server that ends with the test, and the lines of its log.
#[derive(Debug)]
pub struct Server {
    process: Running,
    directory: PathBuf,
    port: u16,
    /// The signal that ends it at once, even with connected clients, and lets it clean up.
    end: &'static str,
}

impl Server {
    /// Starts a new `PostgreSQL` that logs each statement, with these additional settings.
    ///
    /// With `logging_collector=on`, its log goes to files, and it may not be ready yet. A pool of
    /// sqlx waits for it.
    ///
    /// # Errors
    ///
    /// If this machine lacks something. The error says what.
    pub fn postgres(settings: &[&str]) -> Result<Self, String> {
        let (initdb, postgres) = (program("initdb")?, program("postgres")?);
        let (user, directory, port) = (User::find("postgres")?, directory()?, free_port());
        let data = directory.join("data");
        user.give(&directory)?;
        let mut command = user.command(&initdb);
        command.args(["--auth=trust", "--username=postgres", "--no-sync"]);
        run(command.arg("--pgdata").arg(&data))?;
        let mut command = user.command(&postgres);
        command.arg("-D").arg(&data).arg("-p").arg(port.to_string());
        for setting in [
            "fsync=off",
            "listen_addresses=127.0.0.1",
            "lc_messages=C",
            "log_statement=all",
            "log_timezone=UTC",
            "unix_socket_directories=",
        ]
        .iter()
        .chain(settings)
        {
            command.args(["-c", setting]);
        }
        let ready = if settings.contains(&"logging_collector=on") {
            "redirecting log output"
        } else {
            "ready to accept connections"
        };
        Ok(Self::start(command, directory, port, ready, "INT"))
    }

    /// Starts a new MariaDB that logs each statement to files.
    ///
    /// It writes `general.log` before a statement runs. It writes `slow.log` when the connection
    /// takes the next statement, or earlier. The user is `root`, and there is no database except
    /// the server's own.
    ///
    /// # Errors
    ///
    /// If this machine lacks something. The error says what.
    pub fn mariadb() -> Result<Self, String> {
        let (install, mariadb) = (program("mariadb-install-db")?, program("mariadbd")?);
        let (user, directory, port) = (User::find("mysql")?, directory()?, free_port());
        let data = format!("--datadir={}", directory.join("data").display());
        user.give(&directory)?;
        // When a MariaDB starts, it deletes all temporary tables in its `tmpdir`, also those of
        // another server.
        let mut command = user.command(&install);
        command.env("TMPDIR", &directory);
        command.args(["--no-defaults", "--skip-test-db", &data]);
        run(command.arg("--auth-root-authentication-method=normal"))?;
        let mut command = user.command(&mariadb);
        command.env("TMPDIR", &directory);
        command.args(["--no-defaults", "--bind-address=127.0.0.1", &data]);
        command.arg(format!("--port={port}"));
        command.args(["--general-log", "--slow-query-log", "--long-query-time=0"]);
        for (setting, file) in [
            ("general-log-file", "general.log"),
            ("slow-query-log-file", "slow.log"),
            ("socket", "socket"),
            ("pid-file", "pid"),
        ] {
            command.arg(format!("--{setting}={}", directory.join(file).display()));
        }
        let ready = "ready for connections";
        Ok(Self::start(command, directory, port, ready, "TERM"))
    }

    /// Starts a `PgBouncer` in transaction mode in front of the `PostgreSQL` of all tests. It has
    /// one connection for all its clients.
    ///
    /// # Errors
    ///
    /// If this machine lacks something. The error says what.
    pub fn bouncer() -> Result<Self, String> {
        let pgbouncer = program("pgbouncer")?;
        let (user, directory, port) = (User::find("postgres")?, directory()?, free_port());
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
        Ok(Self::start(command, directory, port, "process up", "INT"))
    }

    /// Starts an nginx with these lines in its `http` block, where `PORT` stands for its port. Its
    /// files are in its directory.
    ///
    /// # Errors
    ///
    /// If this machine lacks something. The error says what.
    pub fn nginx(http: &str) -> Result<Self, String> {
        let nginx = program("nginx")?;
        let (directory, port) = (directory()?, free_port());
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary.map(|kind| format!("{kind}_temp_path {kind};\n"));
        let settings = format!(
            "daemon off; master_process off; pid pid; error_log stderr notice;\n\
             events {{}}\n\
             http {{\n{}{}\n}}\n",
            temporary.concat(),
            http.replace("PORT", &port.to_string()),
        );
        let file = directory.join("nginx.conf");
        fs::write(&file, settings).map_err(|error| error.to_string())?;
        let mut command = Command::new(nginx);
        command.args(["-e", "stderr", "-p"]).arg(&directory);
        command.arg("-c").arg(&file);
        // It prints this when it listens.
        Ok(Self::start(command, directory, port, "getrlimit(", "INT"))
    }

    /// Returns the port that it listens on, at 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the directory of its files. It is deleted on drop. The data of `PostgreSQL` is in
    /// `data`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends the server, so that its whole log is written, and returns the lines that it has
    /// printed.
    pub fn end(&mut self) -> Vec<String> {
        self.process.signal(self.end);
        self.process.wait().1
    }

    fn start(
        mut command: Command,
        directory: PathBuf,
        port: u16,
        ready: &str,
        end: &'static str,
    ) -> Self {
        let process = Running::start(&mut command);
        let mut server = Self {
            process,
            directory,
            port,
            end,
        };
        server.lines_until(ready);
        server
    }

    /// Returns the text of a file that the server writes.
    ///
    /// # Panics
    ///
    /// If it has not written the file, or the file is not text.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(self.directory.join(name)).expect(name)
    }

    /// Returns the lines of the log since the last call, up to the first one with this text.
    ///
    /// # Panics
    ///
    /// If there is none within the deadline.
    pub fn lines_until(&mut self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while !lines
            .last()
            .is_some_and(|line: &String| line.contains(text))
        {
            lines.push(self.process.next_line().to_owned());
        }
        lines
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The user that runs the servers. It is not root, because both refuse root.
struct User(Option<(u32, u32)>);

impl User {
    fn find(name: &str) -> Result<Self, String> {
        if number("-u", None)? != 0 {
            return Ok(Self(None));
        }
        match (number("-u", Some(name)), number("-g", Some(name))) {
            (Ok(user), Ok(group)) => Ok(Self(Some((user, group)))),
            _ => Err(format!("no user {name}, and root cannot run a server")),
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
    let text = run(Command::new("id").arg(what).args(user))?;
    text.trim()
        .parse()
        .map_err(|_| format!("id {what} says {text:?}"))
}

/// Finds a program in the path, or where Debian puts the programs of PostgreSQL.
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
    // It is not below the target directory, which the user of the servers may not be able to read.
    let directory = std::env::temp_dir().join(unique("server"));
    fs::create_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    Ok(directory)
}
