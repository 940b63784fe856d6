#[cfg(feature = "serde")]
mod serde;

#[cfg(feature = "serde")]
pub use self::serde::CarriedOrBare;

use crate::context::{self, Context, Scoped, carry};

/// A value together with the context in which it was made. Use it for channels, and for queues
/// whose messages have no headers.
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
/// With the feature `serde`, a `Carried` can be the payload of a message. In JSON:
///
/// ```json
/// {"correlation_id": "click-1", "body": "order 7"}
/// ```
///
/// If there is a trace, the object also has the fields `traceparent` and `tracestate`. Other fields
/// are ignored, and the order of fields does not matter.
///
/// The body is read even if the ID cannot be. Anything that is not a valid ID counts as absent, and
/// the value gets a new ID. This includes `"\ud800"` and `1e999`, which are JSON, but which
/// `serde_json` does not read. A field that comes twice counts if both values are the same. An ID
/// may have up to 255 bytes, so you can read every ID that this library writes.
///
/// This holds for all self-describing formats, such as JSON, YAML, `MessagePack` and CBOR. It also
/// holds for postcard and bincode, where the ID is any bytes. It cannot hold for a message that
/// breaks its format. Examples are CBOR text that is not UTF-8, and lists that are nested deeper
/// than the reader allows. Within an untagged or flattened type, serde reads the value first, and
/// may refuse a value that `Carried` accepts.
///
/// If a queue holds, or still gets, values from older programs without an ID, read a
/// `CarriedOrBare` (with the feature `serde`). Its documentation says in which order to deploy.
///
/// For other rules, put the keys in the payload with [`inject_with`](crate::inject_with), and read
/// them with [`Policy::extract_with`](crate::Policy::extract_with).
#[derive(Clone, Debug)]
pub struct Carried<T> {
    /// The context in which the value was made.
    pub context: Context,
    /// The value.
    pub body: T,
}

impl<T> Carried<T> {
    /// Adds the current context to a value. Outside any scope, it adds a context with a new ID,
    /// which stays the same however often the value is handled.
    pub fn new(body: T) -> Self {
        Self {
            context: Context::current_or_new(),
            body,
        }
    }

    /// Runs the future that `handle` returns, in the context that the value carries.
    pub fn run<F: Future>(self, handle: impl FnOnce(T) -> F) -> Scoped<F> {
        let Self { context, body } = self;
        context::sync_scope(context, || carry(handle))(body)
    }

    /// Calls a function with the value, in the context that it carries.
    pub fn run_sync<R>(self, handle: impl FnOnce(T) -> R) -> R {
        let Self { context, body } = self;
        context::sync_scope(context, || handle(body))
    }
}
