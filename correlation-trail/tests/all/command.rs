//! Arguments, files, exit status and colours.

#[cfg(unix)]
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{ID, file, process, stderr, stdout, trail, trail_with};

#[test]
fn patterns_are_expanded() {
    let dated = trail(&[ID, "tests/fixtures/sh*.log"]);
    assert!(stdout(&dated).starts_with("     +0.0 ms  shipping  DEBUG  slot reserved\n"));
    let literal = file("glob/[abc]*.log", b"x abc\n");
    assert_eq!(
        trail(&["abc", &literal]).status.code(),
        Some(0),
        "{literal}"
    );
    for (pattern, error) in [
        (
            "tests/fixtures/*.none",
            "no file matches tests/fixtures/*.none",
        ),
        ("tests/[", "cannot read the pattern tests/[: "),
        ("tests/fixture*", "no file matches tests/fixture*"),
    ] {
        let output = trail(&[ID, pattern]);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).starts_with(&format!("trail: {error}")),
            "{}",
            stderr(&output)
        );
    }
}

#[cfg(unix)]
#[test]
fn names_of_any_bytes_are_matched() {
    use std::os::unix::ffi::OsStrExt;

    let log = |n| format!("2026-11-22T14:15:50.{n}Z  INFO shop::x: of {n} abc\n");
    let first = PathBuf::from(file("names/a.log", log(1).as_bytes()));
    file("names/.hidden.log", log(2).as_bytes());
    file("names/deep/.hidden/b.log", log(3).as_bytes());
    file("names/deep/er/b.log", log(4).as_bytes());
    let folder = first.parent().unwrap();
    // Not every file system takes such a name.
    let strange = folder.join(OsStr::from_bytes(b"x\xff.log"));
    let strange = std::fs::write(strange, log(5)).is_ok();
    for (pattern, numbers) in [
        ("*.log", &[1, 5][..]),
        ("a*", &[1]),
        ("[!x].log", &[1]),
        ("x?.log", &[5]),
        (".*.log", &[2]),
        ("**/*.log", &[1, 4, 5]),
        ("*/.hidden/*", &[3]),
        ("deep/../deep/**/[b]*", &[4]),
    ] {
        let output = trail(&["abc", &format!("{}/{pattern}", folder.display())]);
        let numbers = numbers.iter().filter(|&&number| strange || number != 5);
        let told = stdout(&output);
        let all = numbers
            .clone()
            .all(|n| told.contains(&format!(" of {n} abc\n")));
        assert!(all, "{pattern}: {told}{}", stderr(&output));
        assert!(
            told.contains(&format!("-- {} record", numbers.count())),
            "{pattern}: {told}"
        );
    }
}

#[test]
fn a_file_of_two_names_is_told_once() {
    let path = file(
        "twice/a.log",
        b"2026-11-22T14:15:50Z  INFO shop::x: paid abc\n",
    );
    let folder = Path::new(&path).parent().unwrap();
    let other = folder.join("../twice/./a.log");
    let output = trail(&["abc", &path, other.to_str().unwrap(), "-", "-"]);
    assert!(stdout(&output).contains("-- 1 record, 1 service, 1 file"));
    #[cfg(unix)]
    {
        let link = folder.join("b.log");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink("a.log", link).unwrap();
        let output = trail(&["abc", &format!("{}/*.log", folder.display())]);
        assert!(stdout(&output).contains("-- 1 record, 1 service, 1 file"));
    }
}

#[test]
fn the_exit_status_is_as_of_grep() {
    let nothing = trail(&["nobody", "tests/fixtures/gateway.log"]);
    assert_eq!((nothing.status.code(), stdout(&nothing)), (Some(1), ""));
    let help = trail(&["abc", "-h"]);
    assert!(stdout(&help).contains("Usage: trail [OPTIONS] <ID> <FILE>..."));
    assert_eq!(help.status.code(), Some(0));
    let version = concat!("trail ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(stdout(&trail(&["--version"])), version);
}

#[test]
fn mistakes_are_named() {
    for (arguments, error) in [
        (
            &[][..],
            "the following required arguments were not provided:",
        ),
        (
            &["abc"],
            "the following required arguments were not provided:",
        ),
        (
            &["", "f"],
            "a value is required for '<ID>' but none was supplied",
        ),
        (&["abc", "f", "--jsn"], "unexpected argument '--jsn' found"),
        (
            &["abc", "f", "--json=yes"],
            "unexpected value 'yes' for '--json' found",
        ),
        (&["abc", "f", "-x"], "unexpected argument '-x' found"),
        (
            &["abc", "f", "--gap", "soon"],
            "invalid value 'soon' for '--gap <MS>'",
        ),
        (
            &["abc", "f", "--color", "red"],
            "invalid value 'red' for '--color <WHEN>'",
        ),
        (
            &["abc", "f", "--zone", "Mars/Olympus"],
            "unknown time zone: write a name such as Europe/Berlin",
        ),
        (
            &["abc", "f", "--man"],
            "the argument '--man' cannot be used with",
        ),
    ] {
        let output = trail(arguments);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""));
        let expected = format!("trail: {error}");
        let error = stderr(&output);
        assert!(error.starts_with(&expected), "{arguments:?}: {error}");
    }
}

#[test]
fn help_man_page_and_completions_are_of_one_source() {
    let help = trail(&["--help"]);
    for option in stdout(&help).lines().filter_map(option) {
        for page in [&["--man"][..], &["--completions", "bash"]] {
            let page = trail(page);
            assert_eq!((page.status.code(), stderr(&page)), (Some(0), ""));
            let text = stdout(&page).replace("\\-", "-");
            assert!(text.contains(option), "{option}");
        }
        let readme = include_str!("../../README.md");
        assert!(readme.contains(option), "the README has {option}");
    }
    assert_eq!(stdout(&help).lines().filter_map(option).count(), 9);
}

/// The long name that a line of `--help` explains.
fn option(line: &str) -> Option<&str> {
    let name = line.split(", ").last()?.trim_start();
    let is_option = line.starts_with("  -") || line.starts_with("      --");
    let name = name.split(' ').next()?;
    (is_option && name.starts_with("--")).then_some(name)
}

#[test]
fn times_without_a_zone_are_in_the_one_that_is_named() {
    let log = b"2026-07-22 14:15:50.123 INFO shop: sold correlation_id=abc\n";
    for follow in [&[][..], &["-f"]] {
        for (zone, time) in [
            ("Europe/Berlin", "2026-07-22T12:15:50.123"),
            ("-03:30", "2026-07-22T17:45:50.123"),
        ] {
            let arguments = ["--json", "--zone", zone, "abc", "-"];
            let output = trail_with(&[follow, &arguments].concat(), log, &[]);
            assert!(stdout(&output).contains(time), "{}", stdout(&output));
        }
    }
}

#[test]
fn options_stand_anywhere() {
    let file = "tests/fixtures/gateway.log";
    let silences = trail(&["--color=always", "--gap", "5", ID, file, "-"]);
    assert!(stdout(&silences).contains("\u{1b}[2m... 231.4 ms of silence"));
    let same = trail(&[ID, file, "--gap=5", "-", "--color", "always"]);
    assert_eq!(stdout(&same), stdout(&silences));
    let json = trail(&["--json", ID, file]);
    assert!(stdout(&json).starts_with('{'));
    assert_eq!(stdout(&trail(&[ID, file, "--json"])), stdout(&json));
    // After two dashes all are operands.
    let odd = trail(&["--", "-abc", "--json"]);
    assert!(stderr(&odd).starts_with("trail: cannot open --json: "));
}

#[test]
fn a_missing_file_does_not_silence_the_others() {
    let output = trail(&[ID, "no/such.log", "tests/fixtures/gateway.log"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).starts_with("trail: cannot open no/such.log: "),
        "{}",
        stderr(&output)
    );
    assert_eq!(stderr(&output).lines().count(), 1);
    assert!(stdout(&output).contains("purchase started"));
    let folder = trail(&[ID, "tests"]);
    assert_eq!(folder.status.code(), Some(2));
    assert!(
        stderr(&folder).starts_with("trail: cannot "),
        "{}",
        stderr(&folder)
    );
}

#[test]
fn colours_are_for_terminals() {
    let file = "tests/fixtures/gateway.log";
    let escapes = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = trail_with(arguments, b"", environment);
        stdout(&output).contains('\u{1b}')
    };
    assert!(!escapes(&[ID, file], &[]));
    assert!(!escapes(&["--color=never", ID, file], &[]));
    assert!(escapes(&["--color=always", ID, file], &[]));
    // Who says always on the command line says more than the environment.
    assert!(escapes(
        &["--color", "always", ID, file],
        &[("NO_COLOR", "1")]
    ));
    assert!(!escapes(&["--json", "--color=always", ID, file], &[]));
}

#[test]
fn silences_are_shown_from_the_length_that_was_asked_for() {
    let silences = |arguments: &[&str]| stdout(&trail(arguments)).matches("silence").count();
    let files = "tests/fixtures/*";
    assert_eq!(silences(&[ID, files]), 1);
    assert_eq!(silences(&["--gap=300", ID, files]), 0);
    assert_eq!(silences(&["--gap", "1", ID, files]), 7);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let line = "2026-11-22T14:15:50Z  INFO shop::x: a line abc\n";
    let path = file("pipe/long.log", line.repeat(20_000).as_bytes());
    let mut child = Command::new(env!("CARGO_BIN_EXE_trail"))
        .args(["abc", &path])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 10]).unwrap();
    drop(out);
    let output = process::ended(child).unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}
