//! The ID in the environment of child processes.

use std::process::Command;

use super::inject_with;
use crate::names::ENVIRONMENT;

/// Passes the current ID to a child process, as environment variables that
/// [`from_env`](crate::from_env) reads there.
///
/// It sets `CORRELATION_ID`. It also sets `TRACEPARENT` and `TRACESTATE` as the policy's
/// [`TraceContext`](crate::TraceContext) says. The names are those of OpenTelemetry's [environment
/// carrier][env].
///
/// It removes each of these variables that has no value now. This process may have been started
/// with such variables, or you may have used the command before. Otherwise the child would read an
/// ID that is not its own. A tracer that passes its context on in the environment must do so after
/// this call.
///
/// For a tokio command, write `propagate_to(command.as_std_mut())`.
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
