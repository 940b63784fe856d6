//! Jobs that are spawned between the scope and their handler run without the ID. Nothing of ours
//! runs inside of such a task, so it cannot be mended here; but the types of a worker's services
//! tell of it when the worker starts.

use std::any::type_name;

/// Warns, once at the start of a worker, if it spawns its jobs in a way that loses the ID.
pub(crate) fn warn_about<S>() {
    let service = type_name::<S>();
    if loses_the_id(service) {
        #[cfg(feature = "tracing")]
        tracing::warn!(
            target: "correlation",
            "jobs of this worker run outside of their scope and have no correlation ID; \
             write .parallelize(correlation::spawn)"
        );
    }
}

/// `service` is the name of the type of a whole stack of services, the outermost first. The
/// executor comes after the service that it spawns.
fn loses_the_id(service: &str) -> bool {
    let Some((_, spawned)) = service.split_once("::ParallelizeService<") else {
        return false;
    };
    // A scope inside of the spawned task, or an executor that takes the scope along.
    !spawned.contains("correlation_apalis::service::CorrelationService<")
        && !spawned.contains("correlation_core::context::spawn::spawn<")
}
