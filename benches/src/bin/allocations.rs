//! Counts allocations: of each case of the named groups, or of requests that are held. A program by
//! itself, since the allocator that counts takes a hundred instructions for each.

use std::env;
use std::hint::black_box;

use allocation_counter::measure;
use correlation_bench::cases::groups;
use correlation_bench::memory::holders;
use correlation_bench::run::in_task;

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if arguments == ["--held"] {
        held();
    } else {
        in_task(move || count(&arguments));
    }
}

/// `GROUP CASE ALLOCATIONS BYTES`, apart by tabs.
fn count(names: &[String]) {
    for group in groups()
        .into_iter()
        .filter(|group| names.contains(&group.name))
    {
        for case in group.cases {
            let (name, mut run) = (case.name, case.make());
            for _ in 0..100 {
                run();
            }
            let counted = measure(|| (0..TIMES).for_each(|_| run()));
            let each = |total| total / (TIMES * u64::from(group.per)) as f64;
            let (count, bytes) = (
                each(counted.count_total as f64),
                each(counted.bytes_total as f64),
            );
            println!("{}\t{name}\t{count:.1}\t{bytes:.0}", group.name);
        }
    }
}

const TIMES: u64 = 100;

/// `NAME BYTES`, for one request that is under way.
fn held() {
    const NUMBER: usize = 2_000;

    for (name, _, hold) in holders() {
        // What the first request makes for all.
        drop(hold(1));
        let mut held = Vec::with_capacity(2);
        let one = measure(|| held.push(hold(1))).bytes_current;
        let all = measure(|| held.push(hold(NUMBER + 1))).bytes_current;
        black_box(&held);
        println!("{name}\t{:.0}", (all - one) as f64 / NUMBER as f64);
    }
}
