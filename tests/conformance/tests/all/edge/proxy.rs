//! The proxies of `examples/edge`: how each is started, and what it cannot do.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use correlation_testkit::process::{DEADLINE, Running, run};
use correlation_testkit::services::{free_port, unique};
use serde_json::Value;

/// A proxy, and its own ways.
pub(crate) struct Proxy {
    pub(crate) name: &'static str,
    programs: &'static [&'static str],
    file: &'static str,
    /// Run in a directory with the file, as the README has it.
    command: &'static str,
    /// The answers when no service can be connected to.
    pub(crate) down: &'static [u16],
    /// The answer when the service says nothing in time.
    pub(crate) slow: u16,
    /// How many IDs the answer to a request has that cannot be read.
    pub(crate) unreadable: usize,
    /// Of two lines with the header it sees the first only.
    pub(crate) sees_one_line: bool,
    /// A request goes to the other service, too, if the first has taken it and closed.
    pub(crate) retries_closed: bool,
    /// A POST goes to the other service if the first cannot be connected to.
    pub(crate) retries_post: bool,
}

pub(crate) const NGINX: Proxy = Proxy {
    name: "nginx",
    programs: &["nginx"],
    file: "nginx.conf",
    command: r#"nginx -p . -c "$PWD/nginx.conf" -g 'daemon off;'"#,
    down: &[502],
    slow: 504,
    unreadable: 1,
    sees_one_line: true,
    retries_closed: true,
    retries_post: true,
};

pub(crate) const HAPROXY: Proxy = Proxy {
    name: "haproxy",
    programs: &["haproxy"],
    file: "haproxy.cfg",
    command: "haproxy -db -f haproxy.cfg",
    down: &[503],
    slow: 504,
    unreadable: 0,
    sees_one_line: false,
    retries_closed: true,
    retries_post: true,
};

pub(crate) const APACHE: Proxy = Proxy {
    name: "apache",
    programs: &["apache2"],
    file: "apache.conf",
    command: r#"apache2 -d . -f "$PWD/apache.conf" -DFOREGROUND"#,
    down: &[503],
    slow: 502,
    unreadable: 0,
    sees_one_line: false,
    retries_closed: false,
    retries_post: true,
};

pub(crate) const CADDY: Proxy = Proxy {
    name: "caddy",
    programs: &["caddy"],
    file: "Caddyfile",
    command: "caddy run --adapter caddyfile --config Caddyfile",
    // 503 once both services are known to be down.
    down: &[502, 503],
    slow: 504,
    unreadable: 0,
    sees_one_line: false,
    retries_closed: true,
    retries_post: true,
};

pub(crate) const VARNISH: Proxy = Proxy {
    name: "varnish",
    programs: &["varnishd", "varnishncsa"],
    file: "varnish.vcl",
    command: r#"varnishd -F -a 127.0.0.1:8080 -n "$PWD/run" -f "$PWD/varnish.vcl""#,
    down: &[503],
    slow: 503,
    unreadable: 0,
    sees_one_line: false,
    retries_closed: true,
    retries_post: false,
};

impl Proxy {
    /// Whether this machine has its programs; else which one is missing.
    pub(crate) fn installed(&self) -> Result<(), String> {
        let mut programs = self.programs.iter();
        programs.try_for_each(|name| program(name))
    }

    /// Starts it in front of two services, with its file as `changed`.
    pub(crate) fn start(
        &'static self,
        services: [u16; 2],
        changed: impl Fn(String) -> String,
    ) -> Started {
        let dir = Dir::new(self.name);
        let port = free_port();
        let mut config = fs::read_to_string(examples().join(self.file)).unwrap();
        let ports = [("8080", port), ("3000", services[0]), ("3001", services[1])];
        for (shipped, port) in ports {
            assert!(config.contains(shipped), "{} has no {shipped}", self.file);
            config = config.replace(shipped, &port.to_string());
        }
        fs::write(dir.0.join(self.file), changed(config)).unwrap();
        let mut command = Command::new("sh");
        let line = self.command.replace("8080", &port.to_string());
        command.arg("-c").arg(format!("exec {line}"));
        command.current_dir(&dir.0).env("PATH", path());
        // Caddy keeps its last configuration there.
        command
            .env("HOME", &dir.0)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME");
        let mut running = Running::start(&mut command);
        running.accepts(port);
        Started {
            proxy: self,
            port,
            running,
            dir,
        }
    }
}

/// A proxy that runs. It ends when it is dropped.
pub(crate) struct Started {
    pub(crate) proxy: &'static Proxy,
    pub(crate) port: u16,
    running: Running,
    // After the process that uses it.
    dir: Dir,
}

impl Started {
    /// Ends it, and gives its access log, which has all of these IDs.
    pub(crate) fn access_log(mut self, ids: &[&str]) -> Vec<String> {
        let has = |lines: &[String], id: &str| lines.iter().any(|line| id_of(line) == Some(id));
        if self.proxy.name == VARNISH.name {
            // It writes its log to memory, where its own program reads it.
            let late = Instant::now() + DEADLINE;
            loop {
                let mut read = Command::new("varnishncsa");
                read.arg("-d").arg("-n").arg(self.dir.0.join("run"));
                let read = read.arg("-f").arg(examples().join("varnishncsa.format"));
                let lines: Vec<_> = run(read).unwrap().lines().map(str::to_owned).collect();
                let missing = ids.iter().find(|id| !has(&lines, id));
                if missing.is_none() {
                    return lines;
                }
                assert!(Instant::now() < late, "no {missing:?} in {lines:#?}");
            }
        }
        for id in ids {
            self.running
                .wait_for(|line| (id_of(line) == Some(id)).then_some(()));
        }
        self.running.signal("TERM");
        let (_, mut lines) = self.running.wait();
        lines.retain(|line| id_of(line).is_some());
        lines
    }
}

/// The ID of a line of an access log.
pub(crate) fn id_of(line: &str) -> Option<&str> {
    if let Some((_, id)) = line.rsplit_once(" correlation_id=") {
        return Some(id);
    }
    let json: Value = serde_json::from_str(line).ok()?;
    let id = json["resp_headers"]["X-Correlation-Id"][0].as_str()?;
    line.find(id).and_then(|at| line.get(at..at + id.len()))
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/edge")
}

/// Whether there is such a program.
fn program(name: &str) -> Result<(), String> {
    let found = env::split_paths(&path()).any(|dir| dir.join(name).exists());
    found.then_some(()).ok_or_else(|| format!("no {name}"))
}

/// Debian has some of them where only root looks.
fn path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin");
    path
}

/// A directory that also the unprivileged users can enter as which the proxies serve.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let dir = env::temp_dir().join(unique(name));
        fs::create_dir(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
