use std::convert::Infallible;

use apalis_core::task::metadata::{Metadata, MetadataStore};
use correlation_core::adapter::names::{CORRELATION_ID, X_CORRELATION_ID};
use correlation_core::{Context, Extractor, Injector, Policy, extract_with};

/// The metadata that carries the context with a job.
///
/// It holds the ID under `correlation_id`, and `traceparent` and `tracestate` as the context has
/// them. [`Correlated`](crate::Correlated) adds it to every push. Add it yourself for a storage
/// that is not wrapped:
///
/// ```
/// use apalis::prelude::*;
/// use correlation_apalis::{Propagated, correlation};
///
/// let id: correlation::CorrelationId = "click-1".parse()?;
/// let task = correlation::sync_scope(id, || {
///     TaskBuilder::new("send the receipt").metadata(&Propagated::new()).build()
/// });
/// assert_eq!(task.metadata().get("correlation_id"), Some("click-1"));
/// # Ok::<(), correlation::InvalidId>(())
/// ```
///
/// It replaces an ID that the metadata already has, and a trace that was copied, by the rules of
/// [`inject`](correlation_core::inject). Adding it never fails, so `TaskBuilder::metadata` does not
/// panic.
#[derive(Clone, Debug)]
pub struct Propagated(Context);

impl Propagated {
    /// Takes the ambient context, or makes one with a new ID.
    #[must_use]
    pub fn new() -> Self {
        Self(Context::current_or_new())
    }

    /// Returns the context for a job that is pushed now: the ambient one if there is one. Otherwise
    /// it is the one in the job's metadata, or a new one, by these rules.
    pub(crate) fn with(policy: &Policy, metadata: &MetadataStore) -> Self {
        Self(Context::current().unwrap_or_else(|| received(policy, metadata)))
    }

    /// Returns the context.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.0
    }
}

impl Default for Propagated {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Context> for Propagated {
    fn from(context: Context) -> Self {
        Self(context)
    }
}

impl Metadata for Propagated {
    type Error = Infallible;

    /// Reads the context from the metadata, or makes a new one.
    fn extract(metadata: &MetadataStore) -> Result<Self, Infallible> {
        Ok(Self(extract_with(|key| metadata.get(key))))
    }

    fn inject(&self, metadata: &mut MetadataStore) -> Result<(), Infallible> {
        self.0.inject(&mut Carrier(metadata));
        Ok(())
    }
}

/// Reads the context from the metadata by these rules.
pub(crate) fn received(policy: &Policy, metadata: &MetadataStore) -> Context {
    policy.extract_with(|key| metadata.get(key))
}

struct Carrier<'a>(&'a mut MetadataStore);

impl Extractor for Carrier<'_> {
    fn get_all(&self, key: &'static str) -> impl Iterator<Item = &[u8]> {
        let values = self.0.iter().filter(move |(known, _)| means(known, key));
        values.map(|(_, value)| value.as_bytes())
    }
}

impl Injector for Carrier<'_> {
    fn remove(&mut self, key: &'static str) {
        let keys = self.0.iter().map(|(known, _)| known);
        let keys: Vec<_> = keys.filter(|known| means(known, key)).cloned().collect();
        for key in keys {
            self.0.remove(&key);
        }
    }

    fn set(&mut self, key: &'static str, value: &str) {
        self.remove(key);
        // The AMQP backend sends a key with this spelling as the message property of the same name.
        // For messages of other producers, it looks only there.
        let key = if key == X_CORRELATION_ID {
            CORRELATION_ID
        } else {
            key
        };
        self.0.extend([(key, value)]);
    }
}

/// Returns whether a key of the metadata stands for this header. Every spelling of the ID's key
/// counts, because the worker reads them all.
fn means(known: &str, header: &str) -> bool {
    let plain = |key: &str| key.replace('_', "-").to_ascii_lowercase();
    let id = || ["correlation-id", "correlationid", "x-correlation-id"].contains(&&*plain(known));
    known.eq_ignore_ascii_case(header) || header == X_CORRELATION_ID && id()
}
