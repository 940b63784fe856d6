use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::{
    Backend, BackendConfig, FetchById, Filter, ListAllTasks, ListQueues, ListTasks, ListWorkers,
    Metrics, QueueInfo, RegisterWorker, Reschedule, ResumeAbandoned, ResumeById, RunningWorker,
    Statistic, TaskResult, TryNewBackend, Update, Vacuum, WaitForCompletion, WireFormatBackend,
};
use apalis_core::task::Task;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use apalis_core::{delegate_codec, delegate_deref, delegate_expose};
use correlation_core::Policy;
use futures_util::{Sink, SinkExt};
use tower_layer::Stack;

use crate::{CorrelationLayer, Propagated};

/// Adds the method `storage.correlated()` to the storages of apalis.
pub trait Correlate: Backend {
    /// Makes the jobs of this storage carry the correlation ID from the code that pushes them to
    /// the handler that runs them.
    ///
    /// ```
    /// use apalis::prelude::*;
    /// use correlation_apalis::Correlate;
    ///
    /// let storage = MemoryStorage::<String>::new().correlated();
    /// # let _ = storage;
    /// ```
    fn correlated(self) -> Correlated<Self> {
        Correlated {
            backend: self,
            layer: CorrelationLayer::new(),
        }
    }
}

impl<B: Backend> Correlate for B {}

/// A storage whose jobs carry the correlation ID. [`Correlate::correlated`] makes it.
///
/// Each job that you push takes the ambient ID, which replaces an ID that the task's metadata
/// already has. If no ID is ambient, as in a cron job, the job keeps the valid ID that it has, or
/// gets a new one. So all its attempts have the same ID.
///
/// The worker runs each job in the scope of its ID. The scope covers all layers of the worker and
/// the work that the storage itself does around a job.
///
/// It passes on the traits of `apalis-core`, and derefs to the storage for the rest. A job that is
/// pushed through the inner storage does not take the ID. Examples are `(*storage).push(job)` and
/// functions that take a database connection.
#[derive(Clone, Debug)]
pub struct Correlated<B> {
    backend: B,
    layer: CorrelationLayer,
}

impl<B> Correlated<B> {
    /// Sets the rules, see [`CorrelationLayer::policy`].
    ///
    /// They apply in the worker, and where jobs are pushed without an ambient ID.
    ///
    /// # Panics
    ///
    /// If [`CorrelationLayer::policy`] does.
    #[track_caller]
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.layer = self.layer.policy(policy);
        self
    }

    /// Returns the inner storage.
    pub fn into_inner(self) -> B {
        self.backend
    }
}

impl<B: Backend> Backend for Correlated<B> {
    type Task = B::Task;
    type Error = B::Error;

    fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Result<(), Self::Error>> {
        self.backend.poll_ready(cx, worker)
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Self::Error>>> {
        self.backend.poll_next(cx, worker)
    }

    fn poll_close(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Result<(), Self::Error>> {
        self.backend.poll_close(cx, worker)
    }
}

impl<B: BackendConfig> BackendConfig for Correlated<B> {
    type Args = B::Args;
    type Id = B::Id;
    type Kind = B::Kind;
    type Config = B::Config;
    type Layer = Stack<B::Layer, CorrelationLayer>;

    fn config(&self) -> &Self::Config {
        self.backend.config()
    }

    /// The scope lies outside the layer of the storage itself.
    fn middleware(&mut self, worker: &mut WorkerContext) -> Self::Layer {
        Stack::new(self.backend.middleware(worker), self.layer.clone())
    }
}

impl<B, Args, E> Sink<Task<Args>> for Correlated<B>
where
    B: Sink<Task<Args>, Error = E> + Unpin,
{
    type Error = E;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.get_mut().backend.poll_ready_unpin(cx)
    }

    /// Every way to push a job ends here.
    fn start_send(self: Pin<&mut Self>, mut task: Task<Args>) -> Result<(), E> {
        let this = self.get_mut();
        let propagated = Propagated::with(this.layer.rules(), task.metadata());
        let Ok(()) = task.inject_metadata(&propagated);
        this.backend.start_send_unpin(task)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.get_mut().backend.poll_flush_unpin(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.get_mut().backend.poll_close_unpin(cx)
    }
}

impl<B: TryNewBackend> TryNewBackend for Correlated<B>
where
    B::Backend: Backend,
{
    type Backend = Correlated<B::Backend>;

    fn try_new(config: Self::Config) -> Result<Self::Backend, Self::Error> {
        B::try_new(config).map(Correlate::correlated)
    }
}

delegate_codec!(Correlated<B>, backend);
delegate_deref!(Correlated<B>, backend);
delegate_expose!(
    impl<B> for Correlated<B>
    where {
        B: Send + Sync,
    }
    => backend
);
