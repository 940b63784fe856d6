//! The same on one thread and on two at once.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Barrier, Mutex};
use std::time::Instant;

use correlation_core::adapter::TaskContext;
use correlation_core::{Context, CorrelationId, current, sync_scope};

use crate::cases::{SENT, SHARED};
use crate::run::spread;

/// What was measured.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was done.
    pub name: &'static str,
    /// Nanoseconds for one operation on one thread: the least of all rounds.
    pub ns: f64,
    /// Two threads at once over one: the median, the tenth and the ninetieth percentile.
    pub two: (f64, (f64, f64)),
}

/// Measures all of them in turns.
#[must_use]
pub fn rows(rounds: usize) -> Vec<Row> {
    let cases: [(&str, fn()); 6] = [
        ("ambient, current()", || {
            sync_scope(CorrelationId::new(), || {
                repeat(|| drop(black_box(current())));
            });
        }),
        ("ambient, task_local Arc<str>, of this thread", || {
            SHARED.sync_scope(SENT.into(), || repeat(|| drop(black_box(SHARED.get()))));
        }),
        ("task table, enter, finish and drop", || {
            let context = Context::from(CorrelationId::new());
            repeat(|| {
                let entered = TaskContext::enter(context.clone());
                black_box(&entered).finish();
            });
        }),
        (TASKS, || in_tasks(|| ())),
        (TABLE_IN_TASKS, || {
            let context = Context::from(CorrelationId::new());
            in_tasks(move || TaskContext::enter(context.clone()));
        }),
        ("Mutex<HashMap<ThreadId, Arc<str>>> by hand", || {
            let (key, id) = (std::thread::current().id(), Arc::<str>::from(SENT));
            let table = TABLE.get_or_init(Mutex::default);
            repeat(|| {
                for change in [Some(Arc::clone(&id)), None] {
                    let mut table = table
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    black_box(match change {
                        Some(id) => table.insert(key, id),
                        None => table.remove(&key),
                    });
                }
            });
        }),
    ];
    let mut samples = cases.map(|_| Vec::new());
    for _ in 0..rounds {
        for ((_, case), samples) in cases.iter().zip(&mut samples) {
            samples.push((on_threads(1, *case), on_threads(2, *case)));
        }
    }
    let rows = cases.iter().zip(samples).map(|((name, _), samples)| Row {
        name,
        ns: samples
            .iter()
            .map(|(one, _)| *one)
            .fold(f64::INFINITY, f64::min),
        two: spread(samples.iter().map(|(one, two)| two / one).collect()),
    });
    rows.collect()
}

/// So many tasks at once, each of which keeps what it made while the others begin.
fn in_tasks<R: Send + 'static>(make: impl Fn() -> R + Clone + Send + 'static) {
    const AT_ONCE: u32 = 1_000;

    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.build().expect("a runtime");
    for _ in 0..TIMES / AT_ONCE {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    let make = make.clone();
                    tokio::spawn(async move {
                        let made = make();
                        tokio::task::yield_now().await;
                        drop(made);
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("a task");
            }
        });
    }
}

/// Tasks alone, to be taken off the next.
pub const TASKS: &str = "a task of a thousand at once";
/// With the table.
pub const TABLE_IN_TASKS: &str = "a task of a thousand at once, in the task table";
static TABLE: std::sync::OnceLock<Mutex<HashMap<std::thread::ThreadId, Arc<str>>>> =
    std::sync::OnceLock::new();
const TIMES: u32 = 10_000;

fn repeat(mut f: impl FnMut()) {
    for _ in 0..TIMES {
        f();
    }
}

/// Nanoseconds for one operation, on average of all threads.
fn on_threads(number: u32, case: fn()) -> f64 {
    let barrier = Arc::new(Barrier::new(number as usize));
    let threads: Vec<_> = (0..number)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            std::thread::spawn(move || {
                barrier.wait();
                let start = Instant::now();
                case();
                start.elapsed().as_secs_f64()
            })
        })
        .collect();
    let seconds = threads
        .into_iter()
        .map(|thread| thread.join().unwrap_or(f64::NAN));
    seconds.sum::<f64>() * 1e9 / f64::from(number * TIMES)
}
