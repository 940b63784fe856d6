//! The span of a request, which every scope of the request enters.

use std::mem;
use std::thread;

use tracing::{Span, span};

use crate::foreign;

/// A span that contains panics of the subscriber while the thread unwinds, since a second panic
/// would abort the process. `fmt` panics if nobody reads its output.
pub(super) struct RequestSpan(Span);

impl RequestSpan {
    pub(super) const fn new(span: Span) -> Self {
        Self(span)
    }

    pub(super) fn enter(&self) -> Entered<'_> {
        let mut entered = None;
        contained(|| entered = Some(self.0.enter()));
        Entered(entered)
    }
}

impl Drop for RequestSpan {
    fn drop(&mut self) {
        contained(|| drop(mem::replace(&mut self.0, Span::none())));
    }
}

pub(super) struct Entered<'a>(Option<span::Entered<'a>>);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        contained(|| drop(self.0.take()));
    }
}

fn contained(subscriber: impl FnOnce()) {
    if !thread::panicking() {
        return subscriber();
    }
    foreign::caught(subscriber);
}
