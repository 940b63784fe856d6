use std::sync::{Mutex, MutexGuard, PoisonError};

use correlation_core::Context;
use correlation_core::adapter::{AccessRecord, TaskContext};
use rocket::Request;
use rocket::http::Method;

/// What the fairing keeps of a request.
pub(crate) struct Received {
    pub(crate) context: Context,
    pub(crate) task: TaskContext,
    /// For the access record, until the response takes it over.
    pub(crate) access: AccessRecord,
    pub(crate) rejected: Option<Rejection>,
}

/// What is known of a request that is not to be served.
#[derive(Clone, Copy)]
pub(crate) struct Rejection {
    /// Its own method.
    pub(crate) method: Method,
    pub(crate) reason: &'static str,
}

/// What is in the request's cache. Every dispatch replaces the content: clones of a
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
