use std::sync::Arc;

use correlation_core::adapter::names::{X_CORRELATION_ID, X_REQUEST_ID};
use correlation_core::{CorrelationId, Policy};
use tower_layer::Layer;

use crate::{CorrelationService, spawned};

/// Runs every job in the scope of the ID that it carries.
///
/// You need this layer only if the worker's backend is not [`Correlated`](crate::Correlated), which
/// already has it. Put it first, so that the other layers are inside the scope. Only a
/// `parallelize` that spawns with a function other than `correlation::spawn` goes before it:
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
/// A job without a valid ID gets the ID of its task, if that is a ULID or a UUID. Then all attempts
/// have the same ID, on any worker. Otherwise the job gets a new ID.
///
/// If you apply the layer twice, the inner one continues the context of the outer one.
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
    /// Makes a layer with the default [`Policy`], except that IDs may have up to 255 bytes. So it
    /// reads every ID that this crate pushes.
    #[must_use]
    pub fn new() -> Self {
        let policy = Policy::new().max_len(CorrelationId::MAX_LEN);
        Self {
            policy: Arc::new(policy),
        }
    }

    /// Sets the rules for the jobs' metadata: trust, generator and trace context.
    ///
    /// The key of the ID is always `correlation_id`, and jobs of other producers may have it under
    /// `x-request-id`. So [`Policy::headers`] has no effect, nor has a plain header in
    /// [`Policy::sources`].
    ///
    /// # Panics
    ///
    /// If these two do not fit into the 14 sources that a policy may have.
    #[track_caller]
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Arc::new(policy.headers([X_CORRELATION_ID, X_REQUEST_ID]));
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
