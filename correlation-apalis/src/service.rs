use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use apalis_core::task::Task;
use apalis_core::task::metadata::MetadataStore;
use apalis_core::task::task_id::TaskId;
use correlation_core::adapter::names::CORRELATION_ID;
use correlation_core::{Context, Origin, Policy, Scoped, adapter};
use tower_service::Service;

use crate::propagated::received;

/// A service whose jobs have a correlation ID. [`CorrelationLayer`](crate::CorrelationLayer) makes
/// it.
#[derive(Clone, Debug)]
pub struct CorrelationService<S> {
    inner: S,
    policy: Arc<Policy>,
}

impl<S> CorrelationService<S> {
    pub(crate) const fn new(inner: S, policy: Arc<Policy>) -> Self {
        Self { inner, policy }
    }

    fn context(&self, metadata: &MetadataStore, id: Option<&TaskId>) -> Context {
        let context = received(&self.policy, metadata);
        if context.origin() != Origin::Generated || context.untrusted_id().is_some() {
            return context;
        }
        let Some(id) = id.and_then(unique) else {
            return context;
        };
        // A policy that does not trust the job does not trust this ID either.
        self.policy.extract_with(|key| match key {
            CORRELATION_ID => Some(id.as_str()),
            _ => metadata.get(key),
        })
    }
}

impl<S, Args> Service<Task<Args>> for CorrelationService<S>
where
    S: Service<Task<Args>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Scoped<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut task: Task<Args>) -> Self::Future {
        let context = match task.data().get() {
            Some(Entered(context)) => context.clone(),
            None => self.context(task.metadata(), task.task_id()),
        };
        task.inject_data(Entered(context.clone()));
        // Inner services do work before they return their future. That work is in scope too.
        adapter::scoped_call(context, || self.inner.call(task))
    }
}

/// The context that an outer layer has chosen, for the layers inside it. They may run in a separate
/// task, where the ambient context does not reach them.
#[derive(Clone)]
struct Entered(Context);

/// Returns the task ID if no other job has it, which means that it has the length of a ULID or a
/// UUID. Other task IDs are numbers that the next queue has too. The AMQP backend uses a new number
/// for each attempt.
fn unique(id: &TaskId) -> Option<String> {
    let text = id.to_string();
    matches!(text.len(), 26 | 36).then_some(text)
}
