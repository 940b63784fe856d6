//! Two threads and two tasks, of which one is polled at a time.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use correlation_core::adapter::TaskContext;
use correlation_core::sync_scope;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::frame::{Frame, Inside, context, now};
use super::rules::or_known;
use super::{Model, Op, State, Step};

/// A runtime for each task, so that one of them can be polled alone, and a second thread.
pub(super) struct World {
    runtimes: [Arc<Runtime>; 2],
    other: Sender<Box<dyn FnOnce() + Send>>,
}

impl World {
    pub(super) fn new() -> Self {
        let (other, jobs) = channel::<Box<dyn FnOnce() + Send>>();
        thread::spawn(move || jobs.into_iter().for_each(|job| job()));
        let runtimes = [(); 2].map(|()| Arc::new(Builder::new_current_thread().build().unwrap()));
        Self { runtimes, other }
    }

    /// Runs a function on one of the threads, and waits for it.
    fn on<R: Send + 'static>(&self, thread: usize, job: impl FnOnce() -> R + Send + 'static) -> R {
        if thread == 0 {
            return job();
        }
        let (send, result) = channel();
        self.other
            .send(Box::new(move || drop(send.send(job()))))
            .unwrap();
        result.recv().unwrap()
    }

    /// Takes those of the steps that can be taken, and compares.
    pub(super) fn run(&self, steps: &[Step]) {
        let mut model = Model::default();
        let tasks = [(); 2].map(|()| Arc::<Inside>::default());
        let handles = [0, 1].map(|at| {
            let frame = Frame::new(Arc::clone(&tasks[at]), 0);
            Arc::new(self.runtimes[at].spawn(frame))
        });
        let (mut tied, mut finished) = ([Vec::new(), Vec::new()], Vec::new());
        for (n, &step) in steps.iter().enumerate() {
            let before = model.clone();
            let outer = step.outer(n);
            if model.step(step, n, outer).is_none() {
                model = before;
                continue;
            }
            let (at, thread) = (step.task, step.thread);
            match step.op {
                Op::BeginThread => {
                    let tie = move || TaskContext::enter(context(n));
                    tied[thread].push(self.on(thread, tie));
                }
                Op::FinishThread => {
                    let first: TaskContext = tied[thread].remove(0);
                    finished.push(self.on(thread, move || {
                        first.finish();
                        first
                    }));
                }
                op => self.poll(step, op, n, &tasks[at], &handles[at]),
            }
            let after = || format!("after {:#?}", &steps[..=n]);
            let alone = or_known(State::Unset, &model.threads[thread]);
            assert_eq!(self.on(thread, now), alone, "the thread {}", after());

            let mut shared = tasks[at].lock();
            let scopes = model.tasks[at].scopes.len();
            for (depth, done, seen) in shared.seen.drain(..) {
                let model = if done && depth <= scopes {
                    &model
                } else {
                    &before
                };
                let expected = model.at(at, depth, outer);
                assert_eq!(seen, expected, "under {depth} scopes {}", after());
            }
            match (step.op, shared.inside.take()) {
                (Op::Sync, seen) => assert_eq!(seen, Some(State::Set(n)), "{}", after()),
                (Op::Run, seen) => assert_eq!(seen, model.kept, "{}", after()),
                _ => {}
            }
            let frames = if model.tasks[at].ended { 0 } else { scopes + 1 };
            assert_eq!(shared.frames, frames, "dropped at once {}", after());
            let kept = shared.kept.clone();
            drop(shared);
            tasks[1 - at].lock().kept = kept;
        }
        for (handle, runtime) in handles.iter().zip(&self.runtimes) {
            handle.abort();
            until(runtime, || handle.is_finished());
        }
        drop((tasks, tied, finished));
        let left = [0, 1].map(|thread| self.on(thread, now));
        assert_eq!(left, [State::Unset; 2], "left on a thread by {steps:#?}");
    }

    /// Polls a task once, on the thread of the step.
    fn poll(&self, step: Step, op: Op, n: usize, task: &Arc<Inside>, handle: &Arc<JoinHandle<()>>) {
        let (task, handle) = (Arc::clone(task), Arc::clone(handle));
        let runtime = Arc::clone(&self.runtimes[step.task]);
        let poll = move || {
            let mut shared = task.lock();
            (shared.todo, shared.n, shared.is_done) = (Some(op), n, false);
            let waker = shared.waker.take();
            drop(shared);
            if op == Op::Abort {
                handle.abort();
            } else if let Some(waker) = waker {
                waker.wake();
            }
            until(&runtime, || task.lock().is_done || handle.is_finished());
        };
        self.on(step.thread, move || match step.outer(n) {
            State::Set(outer) => sync_scope(context(outer), poll),
            _ => poll(),
        });
    }
}

/// Runs a runtime until something has happened in its task.
fn until(runtime: &Runtime, happened: impl Fn() -> bool) {
    runtime.block_on(async {
        for _ in 0..100 {
            if happened() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the task was not polled");
    });
}
