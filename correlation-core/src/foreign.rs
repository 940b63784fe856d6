//! Calls code of the user or of another crate, and stops its panics.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::diagnostics;

/// One kind of closure that a user gives to a policy.
pub(crate) struct Closure {
    /// The text to log after a panic: what happened, and what the library does instead.
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

    /// Runs a closure of this kind. Gives `None` if it panics. The panic fails no request, since a
    /// caller may have chosen the value that causes it.
    // Not inlined, so that the code path of a request without such closures stays short.
    #[inline(never)]
    pub(crate) fn ask<R>(&self, closure: impl FnOnce() -> R) -> Option<R> {
        let answer = caught(closure);
        // Logged once, since a caller could otherwise fill the log. The panic hook reports each
        // panic.
        if answer.is_none() && !self.told.swap(true, Ordering::Relaxed) {
            diagnostics::warn(self.panicked);
        }
        answer
    }
}

/// Runs foreign code. Gives `None` if it panics.
pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Option<R> {
    // No value of this crate is borrowed or half-changed while it runs.
    let panic = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => return Some(result),
        Err(panic) => panic,
    };
    // The panic payload is foreign, and so is its destructor, which may panic as well.
    mem::forget(catch_unwind(AssertUnwindSafe(|| drop(panic))));
    None
}
