//! The span of a request, which every scope of the request enters.

use std::mem;
use std::thread;

use tracing::{Level, Span, span};

use super::{Context, sync_scope};
use crate::foreign;

/// A span that contains panics of the subscriber while the thread unwinds, since a second panic
/// would abort the process. `fmt` panics if nobody reads its output.
pub(super) struct RequestSpan {
    span: Span,
    /// The context of the request, without the span. What the subscriber writes when the span opens
    /// and closes has its ID.
    context: Context,
}

impl RequestSpan {
    pub(super) fn new(context: Context) -> Self {
        let id = context.id().as_str();
        let open = || span!(target: "correlation", Level::INFO, "request", correlation_id = id);
        let span = sync_scope(context.clone(), open);
        Self { span, context }
    }

    pub(super) fn enter(&self) -> Entered<'_> {
        let mut entered = None;
        contained(|| entered = Some(self.span.enter()));
        Entered(entered)
    }
}

impl Drop for RequestSpan {
    fn drop(&mut self) {
        let span = mem::replace(&mut self.span, Span::none());
        contained(|| sync_scope(self.context.clone(), || drop(span)));
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
