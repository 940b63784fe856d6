//! Child processes: the ID in their environment.

use std::env;
use std::process::Command;

use super::inject_with;
use crate::{Context, Policy};

/// Gives the ambient ID to a child process, as environment variables that
/// [`from_env`] reads there.
///
/// Implemented for [`std::process::Command`], and for tokio's with the feature `process`.
///
/// ```
/// use correlation_core::{CorrelationId, PropagateEnv, sync_scope};
/// use std::process::Command;
///
/// let mut command = Command::new("thumbnails");
/// sync_scope("click-1".parse::<CorrelationId>()?, || command.propagate());
/// let id = command.get_envs().find(|(name, _)| *name == "CORRELATION_ID");
/// assert_eq!(id.unwrap().1.unwrap(), "click-1");
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
pub trait PropagateEnv: sealed::Sealed {
    /// Sets `CORRELATION_ID`, and `TRACEPARENT` and `TRACESTATE` as the policy's
    /// [`TraceContext`](crate::TraceContext) says.
    ///
    /// What there is nothing to set for is removed: this process may have been started with such
    /// variables itself, or the command been used before, and the child would take them for its
    /// own. A tracer that passes its context on in the environment has to do so after this.
    ///
    /// The names are those of OpenTelemetry's [environment carrier][env], which writes
    /// header names in upper case with underscores; `X_` is not part of the ID's.
    ///
    /// [env]: https://opentelemetry.io/docs/specs/otel/context/env-carriers/
    fn propagate(&mut self) -> &mut Self;
}

impl PropagateEnv for Command {
    fn propagate(&mut self) -> &mut Self {
        for (_, variable) in VARIABLES {
            self.env_remove(variable);
        }
        inject_with(|key, value| {
            if let Some(variable) = variable(key) {
                self.env(variable, value);
            }
        });
        self
    }
}

#[cfg(feature = "process")]
impl PropagateEnv for tokio::process::Command {
    fn propagate(&mut self) -> &mut Self {
        self.as_std_mut().propagate();
        self
    }
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for std::process::Command {}
    #[cfg(feature = "process")]
    impl Sealed for tokio::process::Command {}
}

/// The context that this process was started with, or a new one: the one line of a command-line
/// program.
///
/// It reads what [`PropagateEnv`] writes. Anything that is no valid ID counts as absent.
///
/// ```
/// use correlation_core::{self as correlation, current};
///
/// fn run() {
///     assert!(current().is_some());
/// }
///
/// // `correlation::scope(correlation::from_env(), run()).await` for an async one
/// correlation::sync_scope(correlation::from_env(), run);
/// ```
#[must_use]
pub fn from_env() -> Context {
    Context::extract_with(read)
}

impl Policy {
    /// As [`from_env`], by the rules of this policy. Of its headers only `x-correlation-id` has a
    /// variable.
    #[must_use]
    pub fn extract_from_env(&self) -> Context {
        self.extract_with(read)
    }
}

fn read(key: &str) -> Option<Vec<u8>> {
    let value = env::var_os(variable(key)?)?;
    Some(value.into_encoded_bytes())
}

fn variable(key: &str) -> Option<&'static str> {
    let known = VARIABLES.iter().find(|(known, _)| *known == key);
    known.map(|(_, variable)| *variable)
}

const VARIABLES: [(&str, &str); 3] = [
    ("x-correlation-id", "CORRELATION_ID"),
    ("traceparent", "TRACEPARENT"),
    ("tracestate", "TRACESTATE"),
];
