use std::sync::{Mutex, MutexGuard, PoisonError};

use correlation_core::Context;
use correlation_core::adapter::{AccessRecord, TaskContext};
use rocket::Request;
use rocket::http::Method;

/// The data that the fairing keeps for a request.
pub(crate) struct Received {
    pub(crate) context: Context,
    pub(crate) task: TaskContext,
    /// The access record, until the response takes it over.
    pub(crate) access: AccessRecord,
    pub(crate) rejected: Option<Rejection>,
}

/// The data of a request that the policy rejects.
#[derive(Clone, Copy)]
pub(crate) struct Rejection {
    /// The method that the caller sent.
    pub(crate) method: Method,
    pub(crate) reason: &'static str,
}

/// The value in the request's cache. Every dispatch replaces its content, because clones of a
/// `LocalRequest` share one cache.
#[derive(Default)]
struct Slot(Mutex<Option<Received>>);

pub(crate) fn received<'r>(request: &'r Request<'_>) -> MutexGuard<'r, Option<Received>> {
    let Slot(received) = request.local_cache(Slot::default);
    received.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn context(request: &Request<'_>) -> Option<Context> {
    Some(received(request).as_ref()?.context.clone())
}
