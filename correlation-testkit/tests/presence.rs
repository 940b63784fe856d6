//! That a crate of ours stands in a `Cargo.toml`, with nothing called, changes nothing for others.
//!
//! A dependency has the features that anyone in the program asks for. So each program here is a
//! workspace of its own, with the versions of this one and without its crates; and what all our
//! crates ask for is compared with what the documentation says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// `env-filter` of `tracing-subscriber` would make it show errors only.
#[test]
fn a_subscriber_writes_what_it_wrote() {
    let program = Program {
        name: "subscriber",
        main: r#"fn main() {
            tracing_subscriber::fmt::init();
            tracing::info!("an info");
            log::info!("an info of log");
            tracing::error!("an error");
            tracing::debug!("a detail");
        }"#,
        dependencies: "log = '0.4'\n\
            tracing = '0.1'\n\
            tracing-subscriber = '0.3'\n",
    };
    let alone = program.written("");
    assert_eq!(alone.len(), 3, "{alone:#?}");
    assert_eq!(alone, program.written(&core("")));
}

/// `tracing-log` of `tracing-subscriber` would make the second `init` panic, and `ansi` would put
/// escape codes into a file. Both come with its default features, and with our feature `init`.
#[test]
fn two_loggers_write_what_they_wrote() {
    let program = Program {
        name: "loggers",
        main: r#"fn main() {
            env_logger::init();
            tracing_subscriber::fmt::init();
            tracing::info!("an info");
            log::error!("an error of log");
            tracing::error!("an error");
        }"#,
        dependencies: "env_logger = { version = '0.11', default-features = false }\n\
            log = '0.4'\n\
            tracing = { version = '0.1', default-features = false, features = ['std'] }\n\
            tracing-subscriber = \
                { version = '0.3', default-features = false, features = ['fmt'] }\n",
    };
    let alone = program.written("");
    assert_eq!(alone.len(), 3, "{alone:#?}");
    let ours = core("default-features = false, features = ['log', 'tracing'],");
    assert_eq!(alone, program.written(&ours));
}

/// Two versions of core in one program are two libraries, each with an ambient ID of its own: what
/// one has set, the other does not see. The document says so, and how it is found.
#[test]
fn two_versions_of_core_know_nothing_of_each_other() {
    let other = another_version();
    let program = Program {
        name: "versions",
        main: r#"fn main() {
            let id: correlation_core::CorrelationId = "click-1".parse().unwrap();
            correlation_core::sync_scope(id, || {
                println!("ours {:?}", correlation_core::current().map(String::from));
                println!("theirs {:?}", another::current().map(String::from));
            });
        }"#,
        dependencies: "",
    };
    let features = "default-features = false,";
    let theirs = format!("another = {{ package = '{CORE}', {features} path = '{other}' }}\n");
    let written = program.written(&(core(features) + &theirs));
    assert_eq!(written, ["ours Some(\"click-1\")", "theirs None"]);
    let tree = cargo(|command| {
        command.args(["tree", "--duplicates", "--depth", "0", "--manifest-path"]);
        command.arg(programs().join(program.name).join("Cargo.toml"));
    });
    let tree = String::from_utf8(tree).unwrap();
    let found = |version: &str| tree.contains(&format!("{CORE} v{version} "));
    assert!(
        found(env!("CARGO_PKG_VERSION")) && found(OTHER_VERSION),
        "{tree}"
    );
}

/// A copy of core under another version, in a workspace of its own.
fn another_version() -> String {
    let copy = programs().join("another");
    fs::create_dir_all(&copy).unwrap();
    let manifest = fs::read_to_string(workspace("Cargo.toml")).unwrap();
    let (workspace_before, rest) = manifest.split_once("[workspace.package]").unwrap();
    assert!(workspace_before.contains("members"));
    let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    let other = format!("version = \"{OTHER_VERSION}\"");
    let rest = rest.replacen(&version, &other, 1);
    let manifest = format!("[workspace]\nmembers = ['{CORE}']\n[workspace.package]{rest}");
    fs::write(copy.join("Cargo.toml"), manifest).unwrap();
    copy_all(Path::new(&workspace(CORE)), &copy.join(CORE));
    copy.join(CORE).to_str().unwrap().to_owned()
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy_all(&from, &to),
            false => drop(fs::copy(from, to).unwrap()),
        }
    }
}

#[test]
fn what_is_switched_on_is_what_the_documentation_says() {
    let metadata = metadata(&["--filter-platform", &host()]);
    let ours = list(&metadata["packages"]).filter(|package| is_published(package));
    let found: BTreeSet<_> = ours.flat_map(|one| switched_on(one, &metadata)).collect();
    let documented = documented();
    let missing: Vec<_> = found.difference(&documented).collect();
    assert!(missing.is_empty(), "not in ARCHITECTURE.md: {missing:#?}");
    let stale: Vec<_> = documented.difference(&found).collect();
    assert!(stale.is_empty(), "only in ARCHITECTURE.md: {stale:#?}");
    // `tokio` has no default features at all, and nothing runs that nobody calls.
    let always = |row: &&[String; 3]| row[0] == "correlation-core" && row[1] == "always";
    let always: Vec<_> = found.iter().filter(always).map(|row| &row[2]).collect();
    assert_eq!(always, ["tokio/rt"]);
}

/// One line in a `Cargo.toml` is enough: what is a feature of core is one of each adapter, too.
#[test]
fn every_adapter_passes_on_the_features_of_core() {
    let metadata = metadata(&["--no-deps"]);
    let core = list(&metadata["packages"]).find(|package| package["name"] == CORE);
    let features = core.unwrap()["features"].as_object().unwrap();
    let mut adapters = 0;
    for package in list(&metadata["packages"]).filter(|package| is_published(package)) {
        if dependencies(package).all(|dependency| dependency["name"] != CORE) {
            continue;
        }
        adapters += 1;
        for feature in features.keys().filter(|feature| *feature != "default") {
            let wanted = format!("{CORE}/{feature}");
            let passed = closure(package, feature).contains(&wanted);
            assert!(passed, "{}: {feature}", package["name"]);
        }
    }
    assert_eq!(adapters, 11);
}

/// A program of its own, outside of this workspace.
struct Program {
    name: &'static str,
    main: &'static str,
    dependencies: &'static str,
}

impl Program {
    /// The lines it writes, without their times, when it depends on this as well.
    fn written(&self, more: &str) -> Vec<String> {
        let Self {
            name,
            main,
            dependencies,
        } = self;
        let programs = programs();
        let directory = programs.join(name);
        fs::create_dir_all(directory.join("src")).unwrap();
        fs::write(directory.join("src/main.rs"), main).unwrap();
        let manifest = format!(
            "[package]\nname = '{name}'\nedition = '2024'\n\n\
             [dependencies]\n{dependencies}{more}\n\
             [workspace]\n\n[profile.dev]\ndebug = false\n"
        );
        fs::write(directory.join("Cargo.toml"), manifest).unwrap();
        fs::copy(workspace("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
        let arguments = ["build", "--quiet", "--manifest-path"];
        cargo(|command| {
            let manifest = directory.join("Cargo.toml");
            let target = programs.join("target");
            command.args(arguments).arg(manifest);
            command.env("CARGO_TARGET_DIR", target);
        });
        let binary = format!("target/debug/{name}{}", env::consts::EXE_SUFFIX);
        let output = Command::new(programs.join(binary))
            .env_remove("RUST_LOG")
            .env_remove("NO_COLOR")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = [output.stdout, output.stderr].concat();
        let without_time = |line: &str| match line.split_once('Z') {
            Some((_, rest)) => rest.to_owned(),
            None => line.to_owned(),
        };
        let text = String::from_utf8(text).unwrap();
        text.lines().map(without_time).collect()
    }
}

/// Where the programs lie.
fn programs() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("presence")
}

/// The line of a `Cargo.toml` that depends on core, with these options.
fn core(options: &str) -> String {
    let path = workspace("correlation-core");
    format!("correlation-core = {{ {options} path = '{path}' }}\n")
}

fn workspace(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}

/// Without the network if everything is there, as it is after the workspace has been built.
fn cargo(arguments: impl Fn(&mut Command)) -> Vec<u8> {
    let run = |offline: bool| {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
        arguments(&mut command);
        command.args(offline.then_some("--offline"));
        command.output().unwrap()
    };
    let mut output = run(true);
    if !output.status.success() {
        output = run(false);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    output.stdout
}

/// Rows of the table: who, when, and the feature that is on then and is not on by default.
fn switched_on(package: &Value, metadata: &Value) -> Vec<[String; 3]> {
    let on = |feature: &Value| text(feature).to_owned();
    let by_default = closure(package, "default");
    let asked_by_features = package["features"].as_object().unwrap().iter();
    let asked_by_features: Vec<_> = asked_by_features
        .flat_map(|(when, items)| list(items).map(move |item| (when.clone(), on(item))))
        .collect();
    let mut asked = Vec::new();
    for dependency in dependencies(package) {
        let name = text(&dependency["name"]);
        let is_on = format!("dep:{name}");
        let asks = asked_by_features.iter().filter(|(_, item)| *item == is_on);
        let mut when: Vec<_> = asks.map(|(when, _)| when.clone()).collect();
        if dependency["optional"] == false {
            when = vec!["default".to_owned()];
        }
        for feature in list(&dependency["features"]) {
            asked.extend(
                when.iter()
                    .map(|when| (when.clone(), name.to_owned(), on(feature))),
            );
        }
    }
    for (when, item) in asked_by_features {
        if let Some((name, feature)) = item.split_once('/') {
            let name = name.trim_end_matches('?').to_owned();
            asked.push((when, name, feature.to_owned()));
        }
    }
    let rows = asked.into_iter().filter_map(|(when, name, feature)| {
        let is_always = by_default.contains(&when);
        let dependency = depended_on(package, &name, metadata);
        let counts = if name.starts_with("correlation-") {
            // Where an adapter only passes it on, the row of core is enough.
            let theirs = switched_on(dependency, metadata);
            is_always && theirs.iter().any(|row| row[1] == feature)
        } else {
            !closure(dependency, "default").contains(&feature)
        };
        let when = if is_always { "always".to_owned() } else { when };
        let row = [on(&package["name"]), when, format!("{name}/{feature}")];
        counts.then_some(row)
    });
    rows.collect()
}

/// The table of ARCHITECTURE.md: `crate` | when | `dependency/feature`, .. | what it changes.
fn documented() -> BTreeSet<[String; 3]> {
    let text = fs::read_to_string(workspace("ARCHITECTURE.md")).unwrap();
    let (_, section) = text
        .split_once("\n## What we switch on for others\n")
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|line| {
        let cells: Vec<_> = line
            .split('|')
            .map(|cell| cell.trim().replace('`', ""))
            .collect();
        let features = cells[3].split(", ").map(str::to_owned);
        let row = |feature| [cells[1].clone(), cells[2].clone(), feature];
        features.map(row).collect::<Vec<_>>()
    })
    .collect()
}

/// What cargo knows of this workspace and the packages that it depends on.
fn metadata(arguments: &[&str]) -> Value {
    let json = cargo(|command| {
        command.args(["metadata", "--format-version", "1", "--locked"]);
        command.args(["--manifest-path", &workspace("Cargo.toml")]);
        command.args(arguments);
    });
    serde_json::from_slice(&json).unwrap()
}

/// The package that another one knows by this name, in the version that it uses.
fn depended_on<'a>(package: &Value, name: &str, metadata: &'a Value) -> &'a Value {
    let mut nodes = list(&metadata["resolve"]["nodes"]);
    let node = nodes.find(|node| node["id"] == package["id"]).unwrap();
    let ids: BTreeSet<_> = list(&node["dependencies"]).map(text).collect();
    let found = list(&metadata["packages"])
        .find(|package| package["name"] == name && ids.contains(text(&package["id"])));
    found.unwrap_or_else(|| panic!("{name} is not a dependency in use"))
}

fn is_published(package: &Value) -> bool {
    package["source"].is_null() && package["publish"].is_null()
}

/// Those of the crate itself, without those of its tests.
fn dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    list(&package["dependencies"]).filter(|dependency| dependency["kind"].is_null())
}

/// What a feature has on, itself included.
fn closure(package: &Value, feature: &str) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![feature.to_owned()]);
    while let Some(feature) = open.pop() {
        let on = &package["features"][&feature];
        if on.is_array() {
            open.extend(list(on).map(|item| text(item).to_owned()));
        }
        found.insert(feature);
    }
    found
}

/// The platform of this machine: of others, the packages need not be there.
fn host() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(rustc).arg("-vV").output().unwrap();
    let version = String::from_utf8(output.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

const CORE: &str = "correlation-core";
const OTHER_VERSION: &str = "0.99.0";
