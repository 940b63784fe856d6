use std::fmt;

#[cfg(feature = "serde")]
mod serde;

#[cfg(feature = "serde")]
pub use self::serde::CarriedOrBare;

use crate::context::{self, Context, Scoped, carry};

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
/// `traceparent` and `tracestate` stand beside the ID when there is a trace. Other fields are
/// ignored, and the order of fields does not matter.
///
/// The body never depends on what stands in the place of the ID. What is no valid ID counts as
/// absent, whatever it is, and the value gets a new ID: also `"\ud800"` or `1e999`, which are JSON
/// but nothing that `serde_json` reads. The same field twice counts if it says the same. IDs of up
/// to 255 bytes are read, so all that any writer of this library writes.
///
/// That holds for every format that says what it holds, such as JSON, YAML, `MessagePack` and CBOR,
/// and for postcard and bincode, where the ID is any bytes. It cannot hold for what is no message
/// of its format at all, such as text in CBOR that is not UTF-8, or lists nested deeper than its
/// reader allows. Inside of an untagged or flattened type, serde reads the value first, and may
/// refuse what this one takes.
///
/// Where older programs have queued values without an ID, or still do, read a `CarriedOrBare`
/// (with the feature `serde`), whose documentation says in which order to deploy.
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
        Self {
            context: Context::current_or_new(),
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
