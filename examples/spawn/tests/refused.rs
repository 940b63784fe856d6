//! Without `--cfg tokio_unstable`, the compiler says what to set.
#![cfg(not(tokio_unstable))]

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

const MANIFEST: &str = r#"
[package]
name = "refused"
edition = "2024"

[dependencies]
correlation-core = { path = "CORE" }
tokio = { version = "1", features = ["rt"] }

[workspace]
"#;

const PROGRAM: &str = "
fn main() {
    correlation_core::inherit_on_spawn(&mut tokio::runtime::Builder::new_current_thread());
}
";

#[test]
fn the_compiler_says_what_to_set() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused");
    fs::create_dir_all(package.join("src"))?;
    let core = here.join("../../correlation-core").display().to_string();
    fs::write(
        package.join("Cargo.toml"),
        MANIFEST.replace("CORE", &core.replace('\\', "/")),
    )?;
    fs::write(package.join("src/main.rs"), PROGRAM)?;
    // The versions that are here already.
    fs::copy(here.join("../../Cargo.lock"), package.join("Cargo.lock"))?;

    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["check", "--quiet", "--color", "never"])
        .current_dir(&package)
        .env("CARGO_TARGET_DIR", package.join("target"))
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it compiles");
    for part in [
        "`inherit_on_spawn` needs a program that is built with `--cfg tokio_unstable`",
        "rustflags = [\"--cfg\", \"tokio_unstable\"]",
        "RUSTFLAGS",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    Ok(())
}
