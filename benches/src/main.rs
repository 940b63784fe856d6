//! What the library costs, beside its peers, in one run.
//!
//! `cargo run --release -p correlation-benches` prints nanoseconds (the minimum of many rounds)
//! and allocations of each case. Nanoseconds of one run may be compared with each other, and with
//! nothing else. `benches/count` gives the instructions of a case: with `--count CASE N` it is run N
//! times and nothing is printed.

mod core_cases;
mod log_cases;
mod server_cases;

use std::hint::black_box;
use std::time::Instant;

/// One thing to measure.
struct Case {
    name: &'static str,
    run: Box<dyn FnMut()>,
}

impl Case {
    fn new<R>(name: &'static str, mut run: impl FnMut() -> R + 'static) -> Self {
        Self {
            name,
            run: Box::new(move || drop(black_box(run()))),
        }
    }
}

fn main() {
    let mut cases = core_cases::all();
    cases.extend(server_cases::all());
    cases.extend(log_cases::all());

    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            println!("{:<58} {:>9} {:>7} {:>7}", "", "ns", "allocs", "bytes");
            cases.iter_mut().for_each(report);
        }
        ["--list"] => cases.iter().for_each(|case| println!("{}", case.name)),
        ["--count", name, times] => {
            let case = cases.iter_mut().find(|case| case.name == name);
            let case = case.expect("there is a case of that name");
            for _ in 0..times.parse::<u64>().expect("a number of times") {
                (case.run)();
            }
        }
        _ => {
            eprintln!("usage: correlation-benches [--list | --count CASE N]");
            std::process::exit(2);
        }
    }
}

fn report(case: &mut Case) {
    const BATCH: u32 = 1_000;
    for _ in 0..BATCH {
        (case.run)();
    }
    let fastest = (0..200)
        .map(|_| {
            let start = Instant::now();
            (0..BATCH).for_each(|_| (case.run)());
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    let counted = allocation_counter::measure(|| (case.run)());
    println!(
        "{:<58} {:>9.1} {:>7} {:>7}",
        case.name,
        fastest.as_secs_f64() * 1e9 / f64::from(BATCH),
        counted.count_total,
        counted.bytes_total,
    );
}
