//! The panic hook, which is one for the whole process: so each test is a process of its own.
#![cfg(all(feature = "tokio", feature = "tracing", unix))]

mod hostile;
mod report;

use std::any::type_name;
use std::env;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::process::{Child, Command, ExitStatus, Stdio, exit};

use correlation_core::sync_scope;
use correlation_testkit::{id, process};

/// How a child ended, and the lines it wrote.
#[derive(Debug)]
struct Ended {
    status: ExitStatus,
    stdout: Vec<String>,
    stderr: Vec<String>,
}

impl Ended {
    #[track_caller]
    fn well(self) -> Self {
        assert!(self.status.success(), "{self:?}");
        self
    }

    /// How many reports it wrote.
    fn reports(&self) -> usize {
        let lines = self.stderr.iter();
        lines.filter(|line| line.contains("panicked at")).count()
    }
}

/// Runs `child` in a process of its own: this program anew, with the test that `child` stands in.
#[track_caller]
fn in_child<F: Fn()>(child: F) -> Ended {
    in_child_with("0", child)
}

#[track_caller]
fn in_child_with<F: Fn()>(backtrace: &str, child: F) -> Ended {
    let process = start(backtrace, child);
    let output = process::ended(process).unwrap();
    let lines = |bytes| {
        let text = String::from_utf8(bytes).unwrap();
        // Before it the test harness says that it runs one test.
        let text = text.split_once(STARTED).map_or(&*text, |(_, text)| text);
        text.lines().map(str::to_owned).collect()
    };
    Ended {
        status: output.status,
        stdout: lines(output.stdout),
        stderr: lines(output.stderr),
    }
}

/// The same, but nobody reads what it writes.
#[track_caller]
fn in_child_unheard<F: Fn()>(child: F) -> ExitStatus {
    let mut process = start("0", child);
    drop(process.stderr.take());
    let mut stdout = process.stdout.take().unwrap();
    let mut said = Vec::new();
    while !said.ends_with(STARTED.as_bytes()) {
        let mut byte = [0];
        stdout.read_exact(&mut byte).unwrap();
        said.extend(byte);
    }
    drop(stdout);
    process::ended(process).unwrap().status
}

#[track_caller]
fn start<F: Fn()>(backtrace: &str, child: F) -> Child {
    let name = type_name::<F>().trim_end_matches("::{{closure}}");
    let (_, name) = name.split_once("::").unwrap();
    // A test may have several.
    let place = Location::caller().to_string();
    if env::var_os(CHILD).is_some_and(|child| child == *place) {
        print!("{STARTED}");
        io::stdout().flush().unwrap();
        // Ends when nobody is there to write any more: then all pipes are as they are to be.
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
        child();
        // Not through the harness, which panics if nobody reads what it prints.
        exit(0);
    }
    Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, place)
        .env("RUST_BACKTRACE", backtrace)
        .env_remove("RUST_LIB_BACKTRACE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Panics in a scope, and catches that.
fn panic_in_scope() {
    panics(|| panic!("out of stock\nof everything"));
}

/// Runs what panics in a scope, and catches that.
fn panics(f: impl FnOnce()) {
    let in_scope = AssertUnwindSafe(|| sync_scope(id("click-1"), f));
    assert!(catch_unwind(in_scope).is_err());
}

#[track_caller]
fn aborted(status: ExitStatus) {
    assert_eq!(status.signal(), Some(SIGABRT), "{status}");
}

const SIGABRT: i32 = 6;
const CHILD: &str = "PANIC_CHILD";
const STARTED: &str = "the child has started\n";
const TAG: &str = " correlation_id=click-1";
