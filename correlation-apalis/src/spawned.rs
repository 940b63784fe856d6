//! Warns about jobs that are spawned between the scope and their handler.
//!
//! Such jobs run without the ID. No code of this crate runs in such a task, so it cannot repair
//! that. But the types of a worker's services show it when the worker starts.

use std::any::type_name;

use correlation_core::adapter;

/// Warns once, at the start of a worker, if it spawns its jobs in a way that loses the ID.
pub(crate) fn warn_about<S>() {
    let service = type_name::<S>();
    if loses_the_id(service) {
        adapter::warn(
            "the jobs of this worker have no correlation ID, because they are spawned outside their \
             scope: write .parallelize(correlation::spawn)",
        );
    }
}

/// Returns whether the jobs of a worker lose the ID. `service` is the type name of its whole stack
/// of services, with the outermost first. The executor comes after the service that it spawns.
fn loses_the_id(service: &str) -> bool {
    let Some((_, spawned)) = service.split_once("::ParallelizeService<") else {
        return false;
    };
    // There is a scope inside the spawned task, or the executor passes the scope on.
    !spawned.contains("correlation_apalis::service::CorrelationService<")
        && !spawned.contains("correlation_core::context::spawn::spawn<")
}
