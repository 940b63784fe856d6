//! Two thousand jobs, and a worker that is killed in the middle of some of them.
//!
//! The worker is a process of its own: this program anew, with the name of the test that is the
//! worker. It writes a line for each job; its lines are all that is looked at.

use std::collections::HashSet;
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use apalis::prelude::{BoxDynError, Data};
use correlation_apalis::correlation;
use correlation_testkit::id;
use correlation_testkit::process::{Running, test_alone};
use futures_util::{StreamExt, stream};

use crate::job::Job;

/// The test and its worker, for one storage.
macro_rules! killed {
    () => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn of_2000_jobs_none_is_crossed_when_the_worker_is_killed() {
            let Some(queue) = Queue::new().await else {
                return;
            };
            let storage = queue.connect().await.correlated();
            crate::killed::push(async |job| {
                storage.clone().push(job).await.unwrap();
            })
            .await;
            crate::killed::kill_and_restart(module_path!(), &queue.0);
        }

        #[tokio::test]
        #[ignore = "it is the worker process of the test above"]
        async fn worker() {
            let Some((queue, left)) = crate::killed::role() else {
                return;
            };
            // It belongs to the test.
            let queue = std::mem::ManuallyDrop::new(Queue(queue));
            let storage = queue.connect().await.correlated();
            WorkerBuilder::new(format!("worker-{}", std::process::id()))
                .backend(storage.poll_with_strategy(Ticks::new()))
                .data(left)
                .build(crate::killed::tell)
                .run()
                .await
                .unwrap();
        }
    };
}

const JOBS: usize = 2_000;

/// So many the first worker does. With those that it has fetched beyond, it never ends.
const BEFORE_THE_KILL: usize = 700;

/// Pushes the jobs, each under an ID of its own, many at once.
pub(crate) async fn push(push: impl AsyncFn(Job)) {
    let push = |number| {
        let name = format!("click-{number}");
        correlation::scope(id(&name), push(Job::done(name)))
    };
    let pushes = stream::iter(0..JOBS).map(push).buffer_unordered(64);
    pushes.collect::<()>().await;
}

/// Every job is done at least once, and whoever does it sees its ID.
pub(crate) fn kill_and_restart(module: &str, queue: &str) {
    let (mut done, mut lines) = (HashSet::new(), BEFORE_THE_KILL);
    let mut first = start(module, queue, BEFORE_THE_KILL);
    for _ in 0..BEFORE_THE_KILL {
        done.insert(next(&mut first));
    }
    drop(first);

    let mut second = start(module, queue, usize::MAX);
    while done.len() < JOBS {
        done.insert(next(&mut second));
        lines += 1;
    }
    drop(second);
    eprintln!("{module}: {} of {lines} for the 2nd time", lines - JOBS);
}

/// How many jobs are left for this worker.
#[derive(Clone, Debug)]
pub(crate) struct Left(Arc<AtomicUsize>);

/// The queue and the limit, if this process is a worker.
pub(crate) fn role() -> Option<(String, Left)> {
    let left: usize = env::var(LIMIT).ok()?.parse().ok()?;
    Some((env::var(QUEUE).ok()?, Left(Arc::new(left.into()))))
}

/// The handler.
pub(crate) async fn tell(job: Job, left: Data<Left>) -> Result<(), BoxDynError> {
    tokio::task::yield_now().await;
    let one_less = |left: usize| left.checked_sub(1);
    let order = Ordering::Relaxed;
    if left.0.0.fetch_update(order, order, one_less).is_err() {
        return std::future::pending().await;
    }
    let id = correlation::current().map(String::from);
    println!("{DONE}{} {}", job.name, id.unwrap_or_default());
    Ok(())
}

/// A worker process, which is killed when it is dropped.
fn start(module: &str, queue: &str, limit: usize) -> Running {
    let (_, module) = module.split_once("::").expect("a module of this program");
    let mut worker = test_alone(&format!("{module}::worker"));
    Running::start(worker.env(QUEUE, queue).env(LIMIT, limit.to_string()))
}

/// The name of the next job that was done, after a look at the ID that its handler saw.
fn next(worker: &mut Running) -> String {
    loop {
        // Before the first one the test harness writes something of its own.
        if let Some((_, done)) = worker.next_line().split_once(DONE) {
            let (name, id) = done.split_once(' ').expect("a name and an ID");
            assert_eq!(id, name);
            return name.to_owned();
        }
    }
}

const DONE: &str = "done: ";
const QUEUE: &str = "CORRELATION_APALIS_QUEUE";
const LIMIT: &str = "CORRELATION_APALIS_LIMIT";
