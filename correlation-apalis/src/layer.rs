use std::sync::Arc;

use correlation_core::{CorrelationId, Policy};
use tower_layer::Layer;

use crate::{CorrelationService, spawned};

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
#[derive(Clone, Debug)]
pub struct CorrelationLayer {
    policy: Arc<Policy>,
}

impl Default for CorrelationLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl CorrelationLayer {
    /// With the default [`Policy`], and IDs of up to 255 bytes: every ID that is pushed is read.
    #[must_use]
    pub fn new() -> Self {
        let policy = Policy::new().max_len(CorrelationId::MAX_LEN);
        Self {
            policy: Arc::new(policy),
        }
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
    type Service = CorrelationService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        spawned::warn_about::<S>();
        CorrelationService::new(inner, Arc::clone(&self.policy))
    }
}
