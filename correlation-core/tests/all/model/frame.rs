//! The code in a task, which says what it sees.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use correlation_core::adapter::{self, Ambient, TaskContext};
use correlation_core::{
    Context, InCurrent, Scoped, Snapshot, detached, scope, snapshot, sync_scope,
};

use super::{Op, State};
use crate::id;

/// A scope of a task, or the task itself. It acts where no other is inside of it.
pub(super) struct Frame {
    task: Arc<Inside>,
    depth: usize,
    inner: Option<Pin<Box<Scoped<Self>>>>,
}

/// What the code in a task and the test share.
#[derive(Default)]
pub(super) struct Inside(Mutex<Shared>);

#[derive(Default)]
pub(super) struct Shared {
    /// What to do next.
    pub(super) todo: Option<Op>,
    /// Its number, which is the ID of its context.
    pub(super) n: usize,
    pub(super) is_done: bool,
    /// What was ambient: under how many scopes, and whether the step was done.
    pub(super) seen: Vec<(usize, bool, State)>,
    /// What was ambient in a function that was run in a scope.
    pub(super) inside: Option<State>,
    /// How many frames there are.
    pub(super) frames: usize,
    tied: Vec<TaskContext>,
    pub(super) kept: Option<Snapshot>,
    pub(super) waker: Option<Waker>,
}

impl Inside {
    pub(super) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn see(&self, depth: usize) {
        let now = now();
        let mut shared = self.lock();
        let done = shared.is_done;
        shared.seen.push((depth, done, now));
    }
}

pub(super) fn now() -> State {
    let current = Context::current();
    match (Ambient::now(), &current) {
        (Ambient::Unset, None) => State::Unset,
        (Ambient::Absent, None) => State::Absent,
        (Ambient::Detached, None) => State::Detached,
        (Ambient::Set(context), Some(current)) if context.id() == current.id() => {
            State::Set(current.id().as_str().parse().unwrap())
        }
        // The two ways to ask differ.
        _ => State::Set(usize::MAX),
    }
}

pub(super) fn context(n: usize) -> Context {
    Context::from(id(&n.to_string()))
}

fn panic_on_purpose() {
    // No hook prints it.
    resume_unwind(Box::new("on purpose"));
}

impl Frame {
    pub(super) fn new(task: Arc<Inside>, depth: usize) -> Self {
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
