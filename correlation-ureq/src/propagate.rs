use correlation_core::Targets;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use crate::Propagator;

/// Makes every request of an agent carry the ambient ID.
///
/// What is sent is `x-correlation-id`, and `traceparent` and `tracestate` as the policy says. They
/// are sent in place of what the request has already, as
/// [`inject`](correlation_core::inject) says: a gateway that copies headers does not send its
/// caller's ID on. To send another ID with one call, make it in a
/// [`sync_scope`](correlation_core::sync_scope) of its own.
pub trait Propagate: Sized {
    /// To all hosts.
    #[must_use]
    fn propagate(self) -> Self {
        self.propagate_to(Targets::all())
    }

    /// To these hosts only. A call to one of them gets a redirect as its answer, since ureq would
    /// follow it with all headers: see [`Propagator`].
    #[must_use]
    fn propagate_to(self, targets: Targets) -> Self;
}

impl Propagate for ConfigBuilder<AgentScope> {
    fn propagate_to(self, targets: Targets) -> Self {
        self.middleware(Propagator::new(targets))
    }
}
