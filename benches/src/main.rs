//! What the library costs, beside its peers, in one run: prints nanoseconds (the minimum of many
//! rounds) and allocations of each case. Nanoseconds of one run may be compared with each other,
//! and with nothing else.

use std::time::Instant;

use correlation_benches::{Case, cases};

fn main() {
    println!("{:<58} {:>9} {:>7} {:>7}", "", "ns", "allocs", "bytes");
    cases().iter_mut().for_each(report);
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
