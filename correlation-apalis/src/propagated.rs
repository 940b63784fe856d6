use std::convert::Infallible;

use apalis_core::task::metadata::{Metadata, MetadataStore};
use correlation_core::{Context, CorrelationId, Injector, Policy, inject, sync_scope};

/// What goes along with a job in its metadata: the ID under `correlation_id`, and `traceparent`
/// and `tracestate` as the context has them.
///
/// [`Correlated`](crate::Correlated) does this for every push. It is for storages that are not
/// wrapped:
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
/// What the metadata has already is left alone, except for an ID that is not valid. Adding it
/// never fails, so `TaskBuilder::metadata` does not panic.
#[derive(Clone, Debug)]
pub struct Propagated(Context);

impl Propagated {
    /// The ambient context, or one with a new ID.
    #[must_use]
    pub fn new() -> Self {
        Self(Context::current().unwrap_or_else(|| Context::extract_with(|_| None::<&str>)))
    }

    /// What a job takes along that is pushed here: the ambient context; else what the job brings
    /// itself, or a new one, by these rules.
    pub(crate) fn with(policy: &Policy, metadata: &MetadataStore) -> Self {
        Self(Context::current().unwrap_or_else(|| received(policy, metadata)))
    }

    /// The context itself.
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

    /// What the job brings, or a new context.
    fn extract(metadata: &MetadataStore) -> Result<Self, Infallible> {
        Ok(Self(Context::extract_with(|key| metadata.get(key))))
    }

    fn inject(&self, metadata: &mut MetadataStore) -> Result<(), Infallible> {
        sync_scope(self.0.clone(), || inject(&mut Carrier(metadata)));
        Ok(())
    }
}

/// The context that these rules make of the metadata.
pub(crate) fn received(policy: &Policy, metadata: &MetadataStore) -> Context {
    policy.extract_with(|key| metadata.get(key))
}

struct Carrier<'a>(&'a mut MetadataStore);

impl Injector for Carrier<'_> {
    fn set(&mut self, key: &'static str, value: &str) {
        // Unlike `insert`, this replaces what is there: an ID that is not valid.
        self.0.extend([(stored(key), value)]);
    }

    fn contains(&self, key: &str) -> bool {
        let key = stored(key);
        self.0
            .get(key)
            // One that is too long makes the AMQP backend panic.
            .is_some_and(|value| key != CORRELATION_ID || value.parse::<CorrelationId>().is_ok())
    }
}

/// The key in the metadata for a header name.
fn stored(key: &str) -> &str {
    if key == X_CORRELATION_ID {
        CORRELATION_ID
    } else {
        key
    }
}

const X_CORRELATION_ID: &str = "x-correlation-id";
/// Spelled like this, the AMQP backend sends it as the message property of that name, which is
/// the only place where it looks for what other producers have sent.
pub(crate) const CORRELATION_ID: &str = "correlation_id";
