//! The ambient context against a model of it.
//!
//! Two tasks of tokio run on two threads, one step at a time: the test decides which task is polled
//! next, on which thread, and what it does in that poll. Every frame of a task says what is ambient
//! whenever it is polled and when it is dropped, and each thread says so after every step. All of
//! that has to be what [`Model`] says. Each context has an ID of its own, so nothing can be right
//! by accident.
//!
//! All sequences of a few steps are tried, and random ones of many.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;

use correlation_core::adapter::{self, Ambient, TaskContext};
use correlation_core::{
    Context, InCurrent, Scoped, Snapshot, detached, scope, snapshot, sync_scope,
};
use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::id;

/// What a task does in a poll, in its innermost scope; or what is done to it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    /// Enters a scope, which lasts over polls: of a new context, of none, of what is ambient.
    Scope,
    Detach,
    InCurrent,
    /// Its innermost scope ends: done, dropped in the middle, by a panic that is caught.
    Leave,
    Cancel,
    Panic,
    /// It ends itself by a panic.
    Die,
    /// It is aborted.
    Abort,
    /// A scope begins and ends within the poll; so does one that panics.
    Sync,
    /// A snapshot is taken, and the last one that was taken by any task is run.
    Keep,
    Run,
    /// A context is tied to the task, the last of them has been answered, the first is gone.
    Begin,
    Finish,
    End,
    /// The same for a context that is tied to the thread.
    BeginThread,
    FinishThread,
}

const ALL: [Op; 16] = [
    Op::Scope,
    Op::Detach,
    Op::InCurrent,
    Op::Leave,
    Op::Cancel,
    Op::Panic,
    Op::Die,
    Op::Abort,
    Op::Sync,
    Op::Keep,
    Op::Run,
    Op::Begin,
    Op::Finish,
    Op::End,
    Op::BeginThread,
    Op::FinishThread,
];

#[derive(Clone, Copy, Debug)]
struct Step {
    op: Op,
    task: usize,
    thread: usize,
    /// Whether the thread polls the task from within a scope.
    within: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Unset,
    Detached,
    Set(usize),
}

/// What is ambient, in a few lines.
#[derive(Clone, Default)]
struct Model {
    tasks: [Task; 2],
    threads: [Table; 2],
    kept: Option<State>,
}

#[derive(Clone, Default)]
struct Task {
    scopes: Vec<State>,
    table: Table,
    ended: bool,
}

/// The contexts that are tied to a task, and whether they are finished.
type Table = Vec<(usize, bool)>;

impl Model {
    /// What is ambient in a task under so many of its scopes.
    fn at(&self, task: usize, scopes: usize, outer: State) -> State {
        let task = &self.tasks[task];
        let scope = task.scopes[..scopes].last();
        or_known(*scope.unwrap_or(&outer), &task.table)
    }

    /// Takes a step, if it can be taken; `n` is its number and that of its context.
    fn step(&mut self, step: Step, n: usize, outer: State) -> Option<()> {
        let depth = self.tasks[step.task].scopes.len();
        let now = self.at(step.task, depth, outer);
        let taken = if now == State::Unset {
            State::Detached
        } else {
            now
        };
        let Self {
            tasks,
            threads,
            kept,
        } = self;
        let (task, thread) = (&mut tasks[step.task], &mut threads[step.thread]);
        if task.ended {
            return None;
        }
        match step.op {
            Op::Scope => task.scopes.push(State::Set(n)),
            Op::Detach => task.scopes.push(State::Detached),
            Op::InCurrent => task.scopes.push(taken),
            Op::Leave if depth == 0 => task.ended = true,
            Op::Leave | Op::Cancel | Op::Panic => drop(task.scopes.pop()?),
            Op::Die | Op::Abort => task.ended = true,
            Op::Sync => {}
            Op::Keep => *kept = Some(taken),
            Op::Run => drop((*kept)?),
            Op::Begin => task.table.push((n, false)),
            Op::Finish => task.table.last_mut()?.1 = true,
            Op::End if task.table.is_empty() => return None,
            Op::End => drop(task.table.remove(0)),
            Op::BeginThread => thread.push((n, false)),
            Op::FinishThread if thread.is_empty() => return None,
            Op::FinishThread => drop(thread.remove(0)),
        }
        Some(())
    }
}

/// Where no scope was entered, the table is asked: for the only context, or the only one that is
/// not finished.
fn or_known(scope: State, table: &Table) -> State {
    let mut open = table
        .iter()
        .filter(|(_, finished)| !finished || table.len() == 1);
    match (scope, open.next(), open.next()) {
        (State::Unset, Some((n, _)), None) => State::Set(*n),
        (scope, ..) => scope,
    }
}

/// A scope of a task, or the task itself. It acts where no other is inside of it.
struct Frame {
    task: Arc<Inside>,
    depth: usize,
    inner: Option<Pin<Box<Scoped<Self>>>>,
}

/// What the code in a task and the test share.
#[derive(Default)]
struct Inside(Mutex<Shared>);

#[derive(Default)]
struct Shared {
    /// What to do next.
    todo: Option<Op>,
    /// Its number, which is the ID of its context.
    n: usize,
    is_done: bool,
    /// What was ambient: under how many scopes, and whether the step was done.
    seen: Vec<(usize, bool, State)>,
    /// What was ambient in a function that was run in a scope.
    inside: Option<State>,
    /// How many frames there are.
    frames: usize,
    tied: Vec<TaskContext>,
    kept: Option<Snapshot>,
    waker: Option<Waker>,
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn see(&self, depth: usize) {
        let now = now();
        let mut shared = self.lock();
        let done = shared.is_done;
        shared.seen.push((depth, done, now));
    }
}

fn now() -> State {
    let current = Context::current();
    match (Ambient::now(), &current) {
        (Ambient::Unset, None) => State::Unset,
        (Ambient::Detached, None) => State::Detached,
        (Ambient::Set(context), Some(current)) if context.id() == current.id() => {
            State::Set(current.id().as_str().parse().unwrap())
        }
        // The two ways to ask differ.
        _ => State::Set(usize::MAX),
    }
}

fn context(n: usize) -> Context {
    Context::new(id(&n.to_string()))
}

fn panic_on_purpose() {
    // No hook prints it.
    resume_unwind(Box::new("on purpose"));
}

impl Frame {
    fn new(task: Arc<Inside>, depth: usize) -> Self {
        task.lock().frames += 1;
        Self {
            task,
            depth,
            inner: None,
        }
    }

    /// Does what is to be done, in the innermost scope.
    fn act(&mut self) -> Poll<()> {
        let (todo, n) = {
            let shared = self.task.lock();
            (shared.todo, shared.n)
        };
        let inner = || Self::new(Arc::clone(&self.task), self.depth + 1);
        match todo {
            // The frame around it ends it.
            None | Some(Op::Cancel) => return Poll::Pending,
            Some(Op::Panic | Op::Die) => panic_on_purpose(),
            Some(Op::Scope) => self.inner = Some(Box::pin(scope(context(n), inner()))),
            Some(Op::Detach) => self.inner = Some(Box::pin(detached(inner()))),
            Some(Op::InCurrent) => self.inner = Some(Box::pin(inner().in_current())),
            Some(Op::Sync) => {
                let panics = AssertUnwindSafe(|| sync_scope(context(n), panic_on_purpose));
                assert!(catch_unwind(panics).is_err());
                let inside = sync_scope(context(n), now);
                self.task.lock().inside = Some(inside);
            }
            Some(Op::Keep) => {
                let snapshot = snapshot();
                self.task.lock().kept = Some(snapshot);
            }
            Some(Op::Run) => {
                let kept = self.task.lock().kept.clone();
                let inside = kept.map(|snapshot| snapshot.run(now));
                self.task.lock().inside = inside;
            }
            Some(Op::Begin) => {
                let tied = TaskContext::enter(context(n));
                self.task.lock().tied.push(tied);
            }
            Some(Op::Finish) => self.task.lock().tied.last().unwrap().finish(),
            Some(Op::End) => drop(self.task.lock().tied.remove(0)),
            Some(Op::Leave | Op::Abort | Op::BeginThread | Op::FinishThread) => {}
        }
        let mut shared = self.task.lock();
        shared.is_done = true;
        match shared.todo.take() {
            Some(Op::Leave) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}

impl Future for Frame {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<()> {
        self.task.see(self.depth);
        self.task.lock().waker = Some(cx.waker().clone());
        let Some(inner) = &mut self.inner else {
            let acted = self.act();
            self.task.see(self.depth);
            return acted;
        };
        let is_last = adapter::inner(inner).is_none_or(|frame| frame.inner.is_none());
        let polled = catch_unwind(AssertUnwindSafe(|| inner.as_mut().poll(cx)));
        let todo = self.task.lock().todo;
        match polled {
            Err(panic) if todo == Some(Op::Die) => resume_unwind(panic),
            Ok(Poll::Pending) if !(is_last && todo == Some(Op::Cancel)) => {}
            _ => {
                self.inner = None;
                let mut shared = self.task.lock();
                (shared.todo, shared.is_done) = (None, true);
            }
        }
        self.task.see(self.depth);
        Poll::Pending
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.task.see(self.depth);
        self.task.lock().frames -= 1;
    }
}

/// A runtime for each task, so that one of them can be polled alone, and a second thread.
struct World {
    runtimes: [Arc<Runtime>; 2],
    other: Sender<Box<dyn FnOnce() + Send>>,
}

impl World {
    fn new() -> Self {
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
    fn run(&self, steps: &[Step]) {
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

impl Step {
    /// What is ambient on the thread that polls.
    const fn outer(self, n: usize) -> State {
        if self.within {
            State::Set(n + 1_000_000)
        } else {
            State::Unset
        }
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

/// Runs all sequences of so many of these operations, and says how many there are.
fn all_of(ops: &[Op], len: usize) -> usize {
    let (world, mut count) = (World::new(), 0);
    extend(ops, len, &mut Vec::new(), &Model::default(), &mut |steps| {
        count += 1;
        world.run(steps);
    });
    count
}

fn extend(
    ops: &[Op],
    len: usize,
    steps: &mut Vec<Step>,
    model: &Model,
    run: &mut impl FnMut(&[Step]),
) {
    let mut is_last = true;
    // Which task and which thread comes first, does not matter.
    let places = match steps.len() {
        0 => 1,
        taken if taken < len => 4,
        _ => 0,
    };
    for place in 0..places {
        for &op in ops {
            let step = Step {
                op,
                task: place / 2,
                thread: place % 2,
                within: false,
            };
            let mut next = model.clone();
            if next.step(step, steps.len(), State::Unset).is_some() {
                is_last = false;
                steps.push(step);
                extend(ops, len, steps, &next, run);
                steps.pop();
            }
        }
    }
    if is_last {
        run(steps);
    }
}

const SCOPES: [Op; 7] = [
    Op::Scope,
    Op::Detach,
    Op::InCurrent,
    Op::Leave,
    Op::Cancel,
    Op::Panic,
    Op::Abort,
];
const TABLES: [Op; 6] = [
    Op::Scope,
    Op::Leave,
    Op::Begin,
    Op::Finish,
    Op::End,
    Op::BeginThread,
];
const BOTH: [Op; 4] = [Op::Scope, Op::Leave, Op::Begin, Op::Abort];

#[test]
fn all_short_sequences_with_scopes() {
    assert_eq!(all_of(&SCOPES, 4), 32_480);
}

#[test]
fn all_short_sequences_with_tables() {
    assert_eq!(all_of(&TABLES, 4), 14_634);
}

#[test]
fn all_short_sequences_with_both() {
    assert_eq!(all_of(&BOTH, 5), 45_224);
}

/// By hand: `cargo test --release -p correlation-core --test all model -- --ignored --nocapture`.
#[test]
#[ignore = "minutes"]
fn all_longer_sequences() {
    let counts = [all_of(&SCOPES, 5), all_of(&TABLES, 5), all_of(&BOTH, 6)];
    println!("{counts:?} sequences");
}

fn step() -> impl Strategy<Value = Step> {
    let within = prop::bool::weighted(0.2);
    (
        prop::sample::select(&ALL[..]),
        0..2_usize,
        0..2_usize,
        within,
    )
        .prop_map(|(op, task, thread, within)| Step {
            op,
            task,
            thread,
            within,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn long_sequences(steps in prop::collection::vec(step(), 0..80)) {
        World::new().run(&steps);
    }
}
