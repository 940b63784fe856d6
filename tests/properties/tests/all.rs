//! Each property with its seeds as they stand, with changed seeds, and with random bytes.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::process::Command;

use correlation_core::{Context, Origin, from_env};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

/// An input, in the form that it has in a seed file.
#[derive(Clone)]
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// The seeds of a target: lines, escaped as in a byte string of Rust.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let seeds: Vec<_> = text.lines().map(unescaped).collect();
    assert!(!seeds.is_empty());
    seeds
}

fn unescaped(line: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), line.bytes());
    while let Some(byte) = rest.next() {
        let escaped = (byte == b'\\').then(|| rest.next().expect("an escape"));
        bytes.push(match escaped {
            None => byte,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'x') => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.expect("two digits"));
                u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            Some(other) => other,
        });
    }
    bytes
}

/// A change: of which kind, where and of how many bytes, to what.
type Change = (u8, Index, usize, Index, u8);

fn change() -> impl Strategy<Value = Change> {
    let known = &b" \t\r\n,;:=-./|\"\\{}[]0aZ\0\x01\x05\x1b\x7f\xff"[..];
    let byte = prop_oneof![prop::sample::select(known), any::<u8>()];
    (0..6_u8, any::<Index>(), 1..20_usize, any::<Index>(), byte)
}

/// The input with a change, which may take a part of another one.
fn changed(mut input: Vec<u8>, other: &[u8], (kind, at, len, from, byte): Change) -> Vec<u8> {
    let source = if kind == 4 {
        input.clone()
    } else {
        other.to_vec()
    };
    let from = from.index(source.len() + 1);
    let part = source[from..].iter().copied();
    let at = at.index(input.len() + 1);
    let end = input.len().min(at + len);
    match kind {
        0 => drop(input.drain(at..end)),
        1 => input.insert(at, byte),
        2 => drop(input.splice(at..end.min(at + 1), [byte])),
        3 | 4 => drop(input.splice(at..at, part.take(len))),
        _ => drop(input.splice(at.., part)),
    }
    input
}

/// A seed with some changes, or random bytes.
fn inputs(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Input> {
    let seed = prop::sample::select(seeds);
    let changes = prop::collection::vec(change(), 1..6);
    let changed = (seed.clone(), seed, changes).prop_map(|(seed, other, changes)| {
        let change = |input, change| changed(input, &other, change);
        changes.into_iter().fold(seed, change)
    });
    let random = prop::collection::vec(any::<u8>(), 0..300);
    prop_oneof![4 => changed, 1 => random].prop_map(Input)
}

fn holds(target: &str, property: fn(&[u8]), cases: u32) {
    let seeds = seeds(target);
    for seed in &seeds {
        let held = catch_unwind(|| property(seed));
        assert!(held.is_ok(), "{}", seed.escape_ascii());
    }
    // What fails is printed, to be made a seed.
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let run = TestRunner::new(config).run(&inputs(seeds), |Input(input)| {
        property(&input);
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

macro_rules! properties {
    ($($target:ident: $cases:expr,)+) => {
        $(
            #[test]
            fn $target() {
                holds(stringify!($target), properties::$target, $cases);
            }
        )+

        #[test]
        fn each_property_is_fuzzed() {
            let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
            let names = |under: &str| -> BTreeSet<String> {
                let files = fs::read_dir(fuzz.join(under)).unwrap();
                let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
                names.map(|name| name.trim_end_matches(".rs").to_owned()).collect()
            };
            let ours = BTreeSet::from([$(stringify!($target).to_owned()),+]);
            assert_eq!((names("fuzz_targets"), names("seeds")), (ours.clone(), ours));
        }
    };
}

properties! {
    amzn: 1_000,
    b3: 1_000,
    carried: 500,
    celery: 500,
    cloud_trace: 1_000,
    env: 500,
    expose: 1_000,
    id: 1_000,
    log_line: 1_000,
    message: 500,
    networks: 500,
    receive: 1_000,
    request_id: 1_000,
    targets: 500,
    trace_context: 500,
    trail: 500,
}

/// What a process reads of its own variables is what is read of the same values in `env`.
#[cfg(unix)]
#[test]
fn a_child_reads_its_variables() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let said = |context: &Context| {
        let id = (context.origin() != Origin::Generated).then(|| context.id().to_string());
        format!("{:?} {id:?} {:?}", context.origin(), context.trace_id())
    };
    if std::env::var_os("CHILD_OF_PROPERTIES").is_some() {
        return println!("read: {}", said(&from_env()));
    }
    for seed in seeds("env") {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "a_child_reads_its_variables", "--nocapture"]);
        command.env("CHILD_OF_PROPERTIES", "1");
        for name in properties::VARIABLES {
            command.env_remove(name);
        }
        let values = seed.split(|&byte| byte == b'\n');
        for (name, value) in properties::VARIABLES.iter().zip(values) {
            command.env(name, OsStr::from_bytes(value));
        }
        let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let read = output.lines().find_map(|line| line.split_once("read: "));
        let (_, read) = read.unwrap_or_else(|| panic!("{output}"));
        assert_eq!(read, said(&properties::context_of(&seed)));
    }
}
