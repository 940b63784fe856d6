//! What `tracing::init()` writes and where, each time in a process of its own, since a subscriber
//! is for the whole process.
#![cfg(feature = "init")]

use std::env;
use std::io;
use std::process::{Command, Output, Stdio};

use correlation_core::{CorrelationId, sync_scope};

#[test]
fn without_a_filter_info_and_above_is_written() {
    let output = child().output().unwrap();
    assert_eq!(messages(&output), ["ERROR", "INFO", "INFO from log"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn an_empty_filter_is_none() {
    let output = child().env("RUST_LOG", " ,").output().unwrap();
    assert_eq!(messages(&output), ["ERROR", "INFO", "INFO from log"]);
}

#[test]
fn a_filter_is_for_both_kinds_of_records() {
    let output = child().env("RUST_LOG", "error,init=debug").output();
    let expected = ["ERROR", "INFO", "DEBUG", "INFO from log"];
    assert_eq!(messages(&output.unwrap()), expected);
    let output = child().env("RUST_LOG", "off").output().unwrap();
    assert_eq!(messages(&output), [""; 0]);
}

#[test]
fn what_cannot_be_read_is_named_on_standard_error() {
    let output = child().env("RUST_LOG", "error,a=b=c").output().unwrap();
    assert_eq!(messages(&output), ["ERROR"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.starts_with(r#"RUST_LOG: "a=b=c" is ignored: "#),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn a_standard_error_that_nobody_reads_is_no_problem() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = child();
    let output = command.env("RUST_LOG", "error,a=b=c").stderr(writer);
    assert_eq!(messages(&output.output().unwrap()), ["ERROR"]);
}

#[test]
fn colours_are_for_pipes_never_and_for_terminals_without_no_color() {
    let coloured = |output: Output| {
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("detail"));
        output.stdout.contains(&0x1b)
    };
    assert!(!coloured(
        child().env("RUST_LOG", "debug").output().unwrap()
    ));
    if Command::new("script").arg("--version").output().is_err() {
        println!("skipped: there is no `script` to make a terminal");
        return;
    }
    for (no_color, expected) in [(None, true), (Some(""), true), (Some("1"), false)] {
        let mut command = on_a_terminal();
        if let Some(no_color) = no_color {
            command.env("NO_COLOR", no_color);
        }
        let output = command.env("RUST_LOG", "debug").output().unwrap();
        assert_eq!(coloured(output), expected, "NO_COLOR={no_color:?}");
    }
}

/// A second subscriber is a mistake that is told: `init` panics, `try_init` gives the error. The
/// first one stays, and each line has the ID once.
#[test]
fn a_second_subscriber_is_refused_and_the_first_one_stays() {
    for (twice, told) in [
        (
            "init",
            "another subscriber or logger is already installed: remove it",
        ),
        (
            "try_init",
            "a global default trace dispatcher has already been set",
        ),
        (
            "fmt",
            "a global default trace dispatcher has already been set",
        ),
    ] {
        let output = child().env(CHILD, twice).output().unwrap();
        assert_eq!(
            messages(&output),
            ["ERROR", "INFO", "INFO from log"],
            "{twice}"
        );
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(told), "{twice}: {stderr}");
    }
}

/// With a logger of the `log` crate before it, `try_init` says so, and records of `tracing` are
/// written all the same. What `log` gets goes to the logger that was there.
#[test]
fn beside_another_logger_the_records_of_tracing_are_written() {
    let output = child().env(CHILD, "log").output().unwrap();
    assert_eq!(messages(&output), ["ERROR", "INFO"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("logger"), "{stderr}");
    assert!(
        stderr.contains("the other logger: detail from log"),
        "{stderr}"
    );
}

/// A capture of the lines of all threads is refused, with the same reason each time.
#[cfg(feature = "testing")]
#[test]
fn a_capture_of_all_threads_is_refused_and_says_why_each_time() {
    let output = child().env(CHILD, "capture").output().unwrap();
    assert_eq!(messages(&output), ["ERROR", "INFO", "INFO from log"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let told = stderr.matches("another global subscriber is already installed");
    assert_eq!(told.count(), 2, "{stderr}");
}

/// Installs something besides. What comes of it goes to standard error.
fn install_besides(what: &str) {
    use correlation_core::tracing::{init, try_init};

    match what {
        "init" => {
            init();
            let second = std::panic::catch_unwind(init);
            assert!(second.is_err());
        }
        "try_init" => {
            init();
            eprintln!("{}", try_init().unwrap_err());
        }
        "fmt" => {
            init();
            let second = tracing_subscriber::fmt().try_init();
            eprintln!("{}", second.unwrap_err());
        }
        "log" => {
            log::set_logger(&Other).unwrap();
            log::set_max_level(log::LevelFilter::Info);
            eprintln!("{}", try_init().unwrap_err());
        }
        #[cfg(feature = "testing")]
        "capture" => {
            use correlation_core::testing::LogCapture;

            init();
            for _ in 0..2 {
                let capture = || LogCapture::on_all_threads(tracing::Level::INFO);
                assert!(std::panic::catch_unwind(capture).is_err());
            }
        }
        _ => init(),
    }
}

struct Other;

impl log::Log for Other {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("the other logger: {}", record.args());
    }

    fn flush(&self) {}
}

/// Not a test of its own: what the others run in a process of its own.
#[test]
fn program() {
    let Ok(besides) = env::var(CHILD) else {
        return;
    };
    install_besides(&besides);
    sync_scope("abc".parse::<CorrelationId>().unwrap(), || {
        tracing::error!("detail");
        tracing::info!("detail");
        tracing::debug!("detail");
        log::info!("detail from log");
    });
}

fn child() -> Command {
    with_environment(Command::new(env::current_exe().unwrap()), |command| {
        command.args(ARGUMENTS)
    })
}

fn on_a_terminal() -> Command {
    let program = env::current_exe().unwrap();
    let line = format!("'{}' {}", program.display(), ARGUMENTS.join(" "));
    with_environment(Command::new("script"), |command| {
        command.args(["-q", "-e", "-c", &line, "/dev/null"])
    })
}

fn with_environment(
    mut command: Command,
    arguments: impl FnOnce(&mut Command) -> &mut Command,
) -> Command {
    arguments(&mut command)
        .stdin(Stdio::null())
        .env(CHILD, "1")
        .env_remove("RUST_LOG")
        .env_remove("NO_COLOR");
    command
}

/// Of each record the level and where it comes from, without time, target and ID.
fn messages(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let record = |line: &str| {
        let (before, after) = line.split_once(" init: detail")?;
        let level = before.split_whitespace().last().unwrap();
        let from = after.strip_suffix(" correlation_id=abc").expect(line);
        Some(format!("{level}{from}"))
    };
    stdout.lines().filter_map(record).collect()
}

const CHILD: &str = "CORRELATION_INIT_CHILD";
const ARGUMENTS: [&str; 4] = ["--exact", "program", "--nocapture", "--quiet"];
