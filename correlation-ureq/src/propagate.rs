use correlation_core::Targets;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use crate::Propagator;

/// Sends the ambient ID with every request of an agent.
///
/// The agent sends `x-correlation-id`. It also sends `traceparent` and `tracestate`, as the
/// policy's [`TraceContext`](correlation_core::TraceContext) says. They replace the ones that the
/// request already has, by the rules of [`inject`](correlation_core::inject). So a gateway that
/// copies headers does not forward its caller's ID. A `traceparent` that a tracer has set stays. To
/// send a different ID with one call, make the call in a separate
/// [`sync_scope`](correlation_core::sync_scope).
///
/// ```
/// use correlation_ureq::Propagate;
/// use correlation_ureq::correlation::Targets;
/// use ureq::Agent;
///
/// let targets = Targets::hosts([".internal", "localhost:8080"]);
/// let agent: Agent = Agent::config_builder().propagate_to(targets).build().into();
/// # drop(agent);
/// ```
pub trait Propagate: Sized {
    /// Sends the ID to all hosts.
    #[must_use]
    fn propagate(self) -> Self {
        self.propagate_to(Targets::all())
    }

    /// Sends the ID to these hosts only.
    ///
    /// A call to one of them does not follow redirects, because ureq would send all headers along:
    /// the redirect is the answer. See [`Propagator`].
    #[must_use]
    fn propagate_to(self, targets: Targets) -> Self;
}

impl Propagate for ConfigBuilder<AgentScope> {
    fn propagate_to(self, targets: Targets) -> Self {
        self.middleware(Propagator::new(targets))
    }
}
