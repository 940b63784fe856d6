//! Child processes: the ID in their environment.

use std::process::Command;

use super::inject_with;
use crate::names::ENVIRONMENT;

/// Gives the ambient ID to a child process, as environment variables that
/// [`from_env`](crate::from_env) reads there.
///
/// It sets `CORRELATION_ID`, and `TRACEPARENT` and `TRACESTATE` as the policy's
/// [`TraceContext`](crate::TraceContext) says. The names are those of OpenTelemetry's [environment
/// carrier][env].
///
/// What there is nothing to set for is removed: this process may have been started with such
/// variables itself, or the command been used before, and the child would take them for its
/// own. A tracer that passes its context on in the environment has to do so after this.
///
/// For the command of tokio: `propagate_to(command.as_std_mut())`.
///
/// ```
/// use correlation_core::{CorrelationId, propagate_to, sync_scope};
/// use std::process::Command;
///
/// let mut command = Command::new("thumbnails");
/// sync_scope("click-1".parse::<CorrelationId>()?, || propagate_to(&mut command));
/// let id = command.get_envs().find(|(name, _)| *name == "CORRELATION_ID");
/// assert_eq!(id.unwrap().1.unwrap(), "click-1");
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
///
/// [env]: https://opentelemetry.io/docs/specs/otel/context/env-carriers/
pub fn propagate_to(command: &mut Command) {
    for (_, variable) in ENVIRONMENT {
        command.env_remove(variable);
    }
    inject_with(|key, value| {
        if let Some((_, variable)) = ENVIRONMENT.iter().find(|(known, _)| *known == key) {
            command.env(variable, value);
        }
    });
}
