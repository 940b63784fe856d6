//! Runs cases: in a task, as a server does, and without a runtime's own cost.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::{Group, Run};

/// Runs a function in a task of tokio, since Rocket's fairing and warp's filter find a request by
/// its task. Nothing that it calls is made to yield.
///
/// # Panics
///
/// If it panics.
pub fn in_task<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let task = tokio::spawn(tokio::task::unconstrained(async { f() }));
        task.await.expect("a case that runs")
    })
}

/// Polls a future of which nothing waits for anything outside of it.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    unreachable!("nothing here waits")
}

/// Nanoseconds of a case.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The least of all rounds, for one operation.
    pub ns: f64,
    /// Its rounds over those of the reference: the median.
    pub ratio: f64,
    /// The tenth and the ninetieth percentile of the same.
    pub range: (f64, f64),
}

/// Times the cases of a group in turns: each round runs all of them, and every other round in the
/// opposite order.
#[must_use]
pub fn times(group: Group, rounds: usize) -> Vec<Times> {
    let (reference, per) = (group.reference(), f64::from(group.per));
    let mut runs: Vec<(Run, u32)> = group
        .cases
        .into_iter()
        .map(|case| calibrated(case.make()))
        .collect();
    let mut samples = vec![Vec::with_capacity(rounds); runs.len()];
    for round in 0..rounds {
        for at in 0..runs.len() {
            let at = if round % 2 == 0 {
                at
            } else {
                runs.len() - 1 - at
            };
            let (run, times) = &mut runs[at];
            let took = batch(run, *times);
            samples[at].push(took.as_secs_f64() * 1e9 / f64::from(*times) / per);
        }
    }
    let rows = samples.iter().map(|row| {
        let ratios = row
            .iter()
            .zip(&samples[reference])
            .map(|(it, other)| it / other);
        let (ratio, range) = spread(ratios.collect());
        let ns = row.iter().copied().fold(f64::INFINITY, f64::min);
        Times { ns, ratio, range }
    });
    rows.collect()
}

/// The median, and the tenth and the ninetieth percentile.
#[must_use]
pub fn spread(mut values: Vec<f64>) -> (f64, (f64, f64)) {
    values.sort_by(f64::total_cmp);
    let at = |percent: usize| values[(values.len() - 1) * percent / 100];
    (at(50), (at(10), at(90)))
}

/// With as many runs as take a tenth of a millisecond, so that few are interrupted, after a tenth of a
/// second to warm up.
fn calibrated(mut run: Run) -> (Run, u32) {
    const WARM_UP: Duration = Duration::from_millis(100);
    let (start, mut runs) = (Instant::now(), 0_u32);
    while start.elapsed() < WARM_UP {
        batch(&mut run, 10);
        runs += 10;
    }
    let each = start.elapsed().as_secs_f64() / f64::from(runs);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number"
    )]
    let times = (0.0001 / each).ceil() as u32;
    (run, times.max(1))
}

/// Runs a case so many times, after as many that warm it up. Callgrind collects while this runs, and
/// finds it by its name: what a program does before is not repeatable, with clocks to calibrate.
#[inline(never)]
pub fn counted_runs(run: &mut Run, times: u64) {
    for _ in 0..times {
        black_box(&mut *run)();
    }
}

fn batch(run: &mut Run, times: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        black_box(&mut *run)();
    }
    start.elapsed()
}
