//! Instructions and allocations: counted in processes apart.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// By the names of a group and a case.
pub(crate) type ByCase<T> = HashMap<(String, String), T>;

pub(crate) fn has_valgrind() -> bool {
    let version = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// Instructions for one operation of each case. Repeatable to a few within one build.
pub(crate) fn instructions(cases: &[(String, String, u32)]) -> Result<ByCase<f64>, Box<dyn Error>> {
    let (next, counted) = (AtomicUsize::new(0), Mutex::new(Ok(ByCase::new())));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((group, case, per)) = cases.get(index) else {
                return;
            };
            if index.is_multiple_of(20) && index > 0 {
                eprintln!("  instructions of {index} of {} cases", cases.len());
            }
            let result = collected(group, case, (1_000 / per).max(10), *per);
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            match (&mut *counted, result) {
                (Ok(counted), Ok(number)) => {
                    counted.insert((group.clone(), case.clone()), number);
                }
                (counted, Err(error)) => *counted = Err(error),
                (Err(_), _) => return,
            }
        }
    };
    thread::scope(|threads| {
        for _ in 0..thread::available_parallelism().map_or(1, Into::into) {
            threads.spawn(work);
        }
    });
    Ok(counted
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)?)
}

fn collected(group: &str, case: &str, times: u32, per: u32) -> Result<f64, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--collect-atstart=no", "--toggle-collect=*counted_runs*"])
        .arg(program)
        .args(["run", group, case, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let collected = collected.and_then(|(_, number)| number.trim().parse::<u32>().ok());
    // No instructions at all: the function was not found.
    let collected = collected.filter(|number| *number > 0 && output.status.success());
    let collected = collected.ok_or_else(|| format!("{group} / {case}: {said}"))?;
    Ok(f64::from(collected) / f64::from(times * per))
}

/// Allocations and their bytes, for one run of each case of these groups.
pub(crate) fn allocations(groups: &[String]) -> Result<ByCase<(f64, f64)>, Box<dyn Error>> {
    let lines = counting_program(groups)?;
    let lines = lines.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let (group, case) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let (count, bytes) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(((group, case), (count, bytes)))
    });
    Ok(lines.collect())
}

/// Bytes that one request holds while it is answered.
pub(crate) fn held() -> Result<HashMap<String, f64>, Box<dyn Error>> {
    let lines = counting_program(&["--held".to_owned()])?;
    let lines = lines.lines().filter_map(|line| {
        let (name, bytes) = line.split_once('\t')?;
        Some((name.to_owned(), bytes.parse().ok()?))
    });
    Ok(lines.collect())
}

/// Builds the program whose allocator counts, as this one was built, and runs it.
fn counting_program(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    build.args(["build", "--quiet", "--bin", "allocations"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    if !cfg!(feature = "peers") {
        build.arg("--no-default-features");
    }
    if !build.status()?.success() {
        return Err("the program that counts allocations does not build".into());
    }
    let program = env::current_exe()?.with_file_name("allocations");
    let output = Command::new(program)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("the program that counts allocations failed".into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
