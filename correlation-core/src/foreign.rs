//! Code of others that is called in the middle of ours: what it panics with ends there.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::diagnostics;

/// One kind of the closures that a policy is given.
pub(crate) struct Closure {
    /// What has happened, and what is done instead.
    panicked: &'static str,
    told: AtomicBool,
}

impl Closure {
    pub(crate) const fn new(panicked: &'static str) -> Self {
        Self {
            panicked,
            told: AtomicBool::new(false),
        }
    }

    /// Asks a closure of this kind. `None` if it panics, which costs no request: the caller of a
    /// service may have chosen the value that it panics at.
    // Not where it is called: the way of a request without such closures stays short.
    #[inline(never)]
    pub(crate) fn ask<R>(&self, closure: impl FnOnce() -> R) -> Option<R> {
        let answer = caught(closure);
        // Once, since a caller could fill the log with it. Each panic has its report.
        if answer.is_none() && !self.told.swap(true, Ordering::Relaxed) {
            diagnostics::closure_panicked(self.panicked);
        }
        answer
    }
}

/// Runs foreign code. `None` if it panics.
pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Option<R> {
    // Nothing of ours is borrowed or half done while it runs.
    let panic = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => return Some(result),
        Err(panic) => panic,
    };
    // What it panicked with is foreign, and so is its destructor.
    mem::forget(catch_unwind(AssertUnwindSafe(|| drop(panic))));
    None
}
