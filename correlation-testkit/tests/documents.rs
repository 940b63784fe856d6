//! The documents that make promises name the test of each, and each of these tests exists.

use std::fs;
use std::process::Command;

use serde_json::Value;

/// Rows of a table whose last column is `proof`, and what else links to a source file.
#[test]
fn each_claim_names_tests_that_exist() {
    for document in ["THREATS.md", "MISUSE.md"] {
        let text = fs::read_to_string(workspace(&format!("docs/{document}"))).unwrap();
        let mut proofs = 0;
        for line in text.lines() {
            let tests: Vec<_> = tests(line).collect();
            let is_claim = line.starts_with("| ") && !line.contains("| proof |");
            let is_number = line.starts_with("| `") || line.contains("| text, ");
            assert!(
                !is_claim || is_number || !tests.is_empty(),
                "{document}: {line}"
            );
            for (name, path) in &tests {
                let source = fs::read_to_string(workspace(path));
                let source = source.unwrap_or_else(|error| panic!("{document}: {path}: {error}"));
                assert!(is_test(&source, name), "{document}: no {name} in {path}");
            }
            proofs += tests.len();
        }
        assert!(proofs > 20, "{document}: {proofs} tests");
    }
}

/// The compiler refuses `unsafe` in each package: they all have the lints of the workspace.
#[test]
fn every_package_forbids_unsafe_code() {
    let manifest = |path: &str| fs::read_to_string(workspace(path)).unwrap();
    assert!(manifest("Cargo.toml").contains("\nunsafe_code = \"forbid\"\n"));
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 30);
    for package in packages {
        let path = package["manifest_path"].as_str().unwrap();
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains("\n[lints]\nworkspace = true\n"), "{path}");
    }
}

/// The links of a line to source files: what they are called, and where.
fn tests(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let links = line.split('[').skip(1).filter_map(|link| {
        let (name, rest) = link.split_once("](../")?;
        Some((name, rest.split(')').next()?))
    });
    links.filter(|(_, path)| path.ends_with(".rs"))
}

/// Whether there is a test function of this name, in backticks, or a case of the contract, in
/// quotes.
fn is_test(source: &str, name: &str) -> bool {
    let Some(name) = name
        .strip_prefix('`')
        .and_then(|name| name.strip_suffix('`'))
    else {
        return name.starts_with('"') && source.contains(name);
    };
    let lines: Vec<_> = source.lines().map(str::trim_start).collect();
    let is_function = |line: &&str| {
        let function = line.strip_prefix("async ").unwrap_or(line);
        let rest = function
            .strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with('('))
    };
    let Some(at) = lines.iter().position(is_function) else {
        return false;
    };
    let before = lines[..at].iter().rev();
    let mut attributes = before.take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    attributes.any(|line| line.contains("test"))
}

fn workspace(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn what_is_no_test_is_found() {
    let source = "#[tokio::test]\n/// why\nasync fn good() {}\n\nfn helper() {}\n";
    assert!(is_test(source, "`good`"));
    for none in ["`helper`", "`goo`", "`missing`", "good", "\"case\""] {
        assert!(!is_test(source, none), "{none}");
    }
    let links = "| so | [`a`](../x/y.rs), [text](../z.md) and [\"b c\"](../z.rs) |";
    assert_eq!(
        tests(links).collect::<Vec<_>>(),
        [("`a`", "x/y.rs"), ("\"b c\"", "z.rs")]
    );
}
