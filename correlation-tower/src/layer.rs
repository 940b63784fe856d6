use std::sync::Arc;

use correlation_core::Policy;
use tower_layer::Layer;

use crate::Correlation;
use crate::settings::Settings;

/// Gives every request its correlation ID: the one layer a server needs.
///
/// It reads or makes the ID, runs the inner service in its scope (the synchronous `call`, the
/// future and the response body) and sets the response header. Put it outermost: what lies
/// outside of it has no ID.
#[derive(Clone, Debug, Default)]
pub struct CorrelationLayer {
    settings: Arc<Settings>,
}

impl CorrelationLayer {
    /// With the default [`Policy`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With these rules for inbound requests.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.settings = Arc::new(Settings::new(policy));
        self
    }
}

impl<S> Layer<S> for CorrelationLayer {
    type Service = Correlation<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Correlation::new(inner, Arc::clone(&self.settings))
    }
}
