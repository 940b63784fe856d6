use std::sync::Arc;

use correlation_core::Policy;
use tower_layer::Layer;

use crate::{Correlation, spawned};

/// Runs every job in the scope of the ID that it brings: the layer of a worker whose backend is
/// not [`Correlated`](crate::Correlated), which has it already.
///
/// Put it first, so that the other layers are inside of the scope, but after a `parallelize` that
/// spawns with something else than `correlation::spawn`:
///
/// ```
/// use apalis::prelude::*;
/// use correlation_apalis::CorrelationLayer;
///
/// # async fn handle(job: u32) {}
/// # async fn example(storage: MemoryStorage<u32>) -> Result<(), BoxDynError> {
/// WorkerBuilder::new("receipts")
///     .backend(storage)
///     .parallelize(tokio::spawn)
///     .layer(CorrelationLayer::new())
///     .build(handle)
///     .run()
///     .await?;
/// # Ok(()) }
/// ```
///
/// A job that brings no valid ID gets the ID of its task, if that is a ULID or a UUID: all
/// attempts have it, whoever makes them. Else it gets a new one.
///
/// Applied twice, the inner one continues the context of the outer one.
#[derive(Clone, Debug, Default)]
pub struct CorrelationLayer {
    policy: Arc<Policy>,
}

impl CorrelationLayer {
    /// With the default [`Policy`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With these rules for what jobs bring: trust, generator, trace context. The key of the ID
    /// is always `correlation_id`.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Arc::new(policy);
        self
    }

    pub(crate) fn rules(&self) -> &Policy {
        &self.policy
    }
}

impl<S> Layer<S> for CorrelationLayer {
    type Service = Correlation<S>;

    fn layer(&self, inner: S) -> Self::Service {
        spawned::warn_about::<S>();
        Correlation::new(inner, Arc::clone(&self.policy))
    }
}
