//! `snapshot` in a pool of threads that belongs to nobody.

use correlation_core::{CorrelationId, bind, current, snapshot, sync_scope};
use rayon::prelude::*;

const REQUESTS: usize = 200;
const READS: usize = 50;
const THREADS: usize = 4;

/// Many requests at once, each of which runs `work`; how many reads gave the request's own ID.
fn right(work: impl Fn() -> Vec<Option<CorrelationId>> + Sync) -> usize {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(THREADS)
        .build()
        .unwrap();
    let requests = (0..REQUESTS).into_par_iter().map(|n| {
        let id: CorrelationId = format!("click-{n}").parse().unwrap();
        let reads = sync_scope(id.clone(), &work);
        // A worker that waits for its own work takes up other work meanwhile.
        reads
            .iter()
            .filter(|read| read.as_ref() == Some(&id))
            .count()
    });
    pool.install(|| requests.sum())
}

#[test]
fn par_iter_reads_the_id() {
    let reads = right(|| {
        let snapshot = snapshot();
        let items = (0..READS).into_par_iter();
        items.map(|_| snapshot.run(current)).collect()
    });
    assert_eq!(reads, REQUESTS * READS);
}

#[test]
fn scope_reads_the_id() {
    let reads = right(|| {
        let snapshot = snapshot();
        let mut reads = vec![None; READS];
        rayon::scope(|scope| {
            for read in &mut reads {
                let snapshot = &snapshot;
                scope.spawn(move |_| *read = snapshot.run(current));
            }
        });
        reads
    });
    assert_eq!(reads, REQUESTS * READS);
}

/// A worker that waits for its own work takes up other work. This is a limit of the library.
#[test]
fn a_job_without_a_helper_reads_the_scope_of_the_worker_that_waits() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    let pool = pool.build().unwrap();
    let (sender, seen) = std::sync::mpsc::channel();
    pool.install(|| {
        let id = |text: &str| text.parse::<CorrelationId>().unwrap();
        sync_scope(id("second"), || {
            let (naked, helped) = (sender.clone(), sender);
            rayon::spawn(move || naked.send(current()).unwrap());
            let snapshot = snapshot();
            rayon::spawn(move || helped.send(snapshot.run(current)).unwrap());
        });
        sync_scope(id("first"), || {
            while rayon::yield_now() == Some(rayon::Yield::Executed) {}
        });
    });
    let mut seen: Vec<_> = seen.try_iter().flatten().collect();
    seen.sort_by_key(ToString::to_string);
    assert_eq!(seen, ["first", "second"]);
}

/// Without it, or with `bind` where a worker runs already, other threads read other IDs, or none.
#[test]
fn negative_control() {
    let naked = right(|| rayon::broadcast(|_| current()));
    let too_late = right(|| rayon::broadcast(|_| bind(current)()));
    let in_time = right(|| {
        let snapshot = snapshot();
        rayon::broadcast(|_| snapshot.run(current))
    });
    assert!(
        naked <= REQUESTS,
        "{naked}: no more than on the thread of the request"
    );
    assert!(too_late <= REQUESTS, "{too_late}");
    assert_eq!(in_time, REQUESTS * THREADS);
}
