//! The command and the library, on files of every format.

mod command;
mod corpus;
mod follow;
mod hostile;
mod input;
mod lnav;
mod logs;
mod misleading;
mod properties;
mod records;

use std::fs;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use correlation_testkit::process;
use correlation_trail::{Timeline, Trail};

/// The ID of the fixtures.
const ID: &str = "5cb8f0c2";

fn trail(arguments: &[&str]) -> Output {
    trail_with(arguments, b"", &[])
}

fn trail_with(arguments: &[&str], input: &[u8], environment: &[(&str, &str)]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trail"))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    process::ended(child).unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

/// A file for one test.
fn file(name: &str, content: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What is told of a log that comes `step` bytes at a time, whether or not it can be read.
fn told(id: &str, log: &[u8], step: usize) -> Timeline {
    let mut trail = Trail::new(id);
    let _ = trail.reader("shop", Trickle(log, step));
    trail.finish()
}

/// Hands out a few bytes at a time, as a pipe does.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}
