use std::fmt;

use crate::context::{self, Scoped, carry};
use crate::{Context, CorrelationId};

/// A value that takes the context of where it was made along: for channels, and for queues whose
/// messages have no room for headers.
///
/// ```
/// use correlation_core::{Carried, CorrelationId, current, sync_scope};
///
/// # futures_util::future::FutureExt::now_or_never(async {
/// let (send, receive) = std::sync::mpsc::channel();
/// sync_scope("click-1".parse::<CorrelationId>()?, || send.send(Carried::new("order 7")))?;
///
/// let job = receive.recv()?; // somewhere else
/// let seen = job.run(|order| async move { format!("{order}: {}", current().unwrap()) }).await;
/// assert_eq!(seen, "order 7: click-1");
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap().unwrap();
/// ```
///
/// # In queues
///
/// With the feature `serde` it is the payload of a message. In JSON:
///
/// ```json
/// {"correlation_id": "click-1", "body": "order 7"}
/// ```
///
/// `traceparent` and `tracestate` stand beside the ID when there is a trace. What other programs
/// write there is checked as a header is: whatever is no valid ID, of any type, counts as absent,
/// and the value gets a new ID. In binary formats, such as CBOR or postcard, it has to be text or
/// nothing: with anything else in its place the value is none that can be read.
///
/// Where other rules are wanted, put the keys in the payload with
/// [`inject_with`](crate::inject_with), and read them with
/// [`Policy::extract_with`](crate::Policy::extract_with).
#[derive(Clone)]
pub struct Carried<T> {
    pub(super) context: Context,
    pub(super) body: T,
}

impl<T> Carried<T> {
    /// Takes the context of the caller; outside of any scope, one with a new ID. It stays the same
    /// however often the value is handled.
    pub fn new(body: T) -> Self {
        let new = || Context::new(CorrelationId::new());
        Self {
            context: Context::current().unwrap_or_else(new),
            body,
        }
    }

    /// Runs a future that handles the value, in the context that it carries.
    pub fn run<F: Future>(self, handle: impl FnOnce(T) -> F) -> Scoped<F> {
        let Self { context, body } = self;
        context::sync_scope(context, || carry(handle))(body)
    }

    /// Calls a function that handles the value, in the context that it carries.
    pub fn run_sync<R>(self, handle: impl FnOnce(T) -> R) -> R {
        let Self { context, body } = self;
        context::sync_scope(context, || handle(body))
    }

    /// The context that the value carries.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The value.
    #[must_use]
    pub const fn body(&self) -> &T {
        &self.body
    }

    /// The value alone.
    #[must_use]
    pub fn into_body(self) -> T {
        self.body
    }
}

impl<T: fmt::Debug> fmt::Debug for Carried<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried")
            .field("context", &self.context)
            .field("body", &self.body)
            .finish()
    }
}
