//! The main rows, held to the last numbers: instructions and allocations, which repeat.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::process::ExitCode;

use correlation_bench::Role;

use crate::count::has_valgrind;
use crate::table::Table;

/// Fails if a row costs more than 3 % above the file.
pub(crate) fn check() -> ExitCode {
    outcome(compare())
}

/// Writes the file.
pub(crate) fn update() -> ExitCode {
    outcome(measure().and_then(|rows| {
        let mut lines = String::from(HEADING);
        for (name, (instructions, allocations)) in rows {
            lines += &format!("{instructions:>8.1} {allocations:>5.1}  {name}\n");
        }
        Ok(fs::write(FILE, lines)?)
    }))
}

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/expected.txt");
const HEADING: &str = "\
# Instructions and allocations of one operation; over the same without an ID where there is that.
# Written by: cargo run --release -p correlation-bench --no-default-features -- --update
";

/// By name: instructions and allocations.
type Numbers = BTreeMap<String, (f64, f64)>;

fn compare() -> Result<(), Box<dyn Error>> {
    let expected = read(&fs::read_to_string(FILE)?)?;
    let measured = measure()?;
    let mut worse = 0;
    for (name, now) in &measured {
        let Some(last) = expected.get(name) else {
            println!(
                "new      {name}: {:.1} instructions, {:.1} allocations",
                now.0, now.1
            );
            worse += 1;
            continue;
        };
        // Two instructions are what the layout of a build can do to a small row.
        let limit = (last.0 * 1.03).max(last.0 + 2.0);
        let verdict = if now.0 > limit || now.1 > last.1 * 1.03 + 0.05 {
            worse += 1;
            "WORSE"
        } else if now.0 < last.0 * 0.97 - 2.0 {
            "better"
        } else {
            "ok"
        };
        let instructions = format!("{:.1} -> {:.1} instructions", last.0, now.0);
        println!(
            "{verdict:<8} {name}: {instructions}, {:.1} -> {:.1} allocations",
            last.1, now.1
        );
    }
    let gone: Vec<_> = expected
        .keys()
        .filter(|name| !measured.contains_key(*name))
        .collect();
    if worse == 0 && gone.is_empty() {
        return Ok(());
    }
    gone.iter().for_each(|name| println!("gone     {name}"));
    Err("some rows are more than 3 % above benches/expected.txt, new or gone. If that is meant: --update".into())
}

fn measure() -> Result<Numbers, Box<dyn Error>> {
    if cfg!(feature = "peers") {
        return Err("what others switch on changes the numbers: add --no-default-features".into());
    }
    if !has_valgrind() {
        return Err("valgrind is not installed: it counts the instructions".into());
    }
    let mut table = Table::of(|group| MAIN.iter().any(|main| group.starts_with(main)));
    table
        .groups
        .iter_mut()
        .for_each(|rows| rows.rows.retain(|row| row.role != Role::Peer));
    table.count(true)?;
    let mut numbers = Numbers::new();
    for rows in &table.groups {
        let bare = rows.rows.iter().find(|row| row.role == Role::Bare);
        for row in rows.rows.iter().filter(|row| row.role == Role::Ours) {
            let under = bare.map_or((0.0, 0.0), |it| {
                (it.instructions.unwrap_or(0.0), it.allocations)
            });
            let instructions = row.instructions.ok_or("not counted")? - under.0;
            let name = format!("{} / {}", rows.name, row.name);
            numbers.insert(name, (instructions, row.allocations - under.1));
        }
    }
    Ok(numbers)
}

/// The groups that CI watches.
const MAIN: [&str; 10] = [
    "ID, new",
    "HTTP/1 exchange",
    "inbound, 8 headers",
    "ambient",
    "axum, around, absent",
    "axum, around, present",
    "axum, Router::layer, absent",
    "axum, Router::layer, present",
    "log",
    "outbound",
];

fn read(lines: &str) -> Result<Numbers, Box<dyn Error>> {
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.map(|line| {
        let mut words = line.split_whitespace();
        let mut number = || words.next().and_then(|word| word.parse().ok());
        let (Some(instructions), Some(allocations)) = (number(), number()) else {
            return Err(format!("benches/expected.txt: {line}").into());
        };
        Ok((
            words.collect::<Vec<_>>().join(" "),
            (instructions, allocations),
        ))
    });
    lines.collect()
}

fn outcome(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
