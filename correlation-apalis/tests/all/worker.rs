//! What does not depend on where jobs are stored: `MemoryStorage` will do.

use std::sync::{Arc, Mutex};

use apalis::prelude::*;
use apalis_core::backend::Vacuum;
use apalis_core::backend::memory::MemoryStorage;
use apalis_core::task::metadata::{Metadata, MetadataStore};
use apalis_sqlite::{SqlitePool, SqliteStorage};
use correlation::{Policy, Source, Trust};
use correlation_apalis::{Correlate, CorrelationLayer, Propagated, correlation};
use correlation_testkit::id;
use futures_util::stream;

/// What the handlers of one test saw.
type Seen = Arc<Mutex<Vec<Option<String>>>>;

async fn handle(job: u32, seen: Data<Seen>, worker: WorkerContext) -> Result<(), BoxDynError> {
    tokio::task::yield_now().await;
    seen.lock()
        .unwrap()
        .push(correlation::current().map(String::from));
    if job == LAST {
        worker.stop()?;
    }
    Ok(())
}

/// The job that ends its worker.
const LAST: u32 = 0;

/// Runs a worker that is built like this, and gives what the handler saw.
macro_rules! run {
    ($storage:expr, $handle:expr, $($with:tt)*) => {{
        let seen = Seen::default();
        let builder = WorkerBuilder::new("worker").backend($storage).data(Arc::clone(&seen));
        builder $($with)* .build($handle).run().await.unwrap();
        let seen = seen.lock().unwrap().clone();
        seen
    }};
}

/// The same, after the last job was pushed in the scope of `click-1`.
macro_rules! seen_by {
    ($storage:expr, $($with:tt)*) => {{
        let mut storage = $storage;
        correlation::scope(id("click-1"), storage.push(LAST)).await.unwrap();
        run!(storage, handle, $($with)*)
    }};
}

fn click() -> Vec<Option<String>> {
    vec![Some("click-1".to_owned())]
}

#[tokio::test]
async fn spawned_jobs_have_the_id_where_the_executor_or_a_layer_carries_it() {
    let correlated = || MemoryStorage::new().correlated();
    assert_eq!(
        seen_by!(correlated(), .parallelize(correlation::spawn)),
        click()
    );
    assert_eq!(
        seen_by!(correlated(), .parallelize(tokio::spawn).layer(CorrelationLayer::new())),
        click()
    );
    // The trap. If this is no longer `None`, the warning can go.
    assert_eq!(seen_by!(correlated(), .parallelize(tokio::spawn)), [None]);
}

#[tokio::test]
async fn every_id_that_is_pushed_is_read() {
    for len in [128, 129, 255] {
        let long = "x".repeat(len);
        let mut storage = MemoryStorage::new().correlated();
        correlation::scope(id(&long), storage.push(LAST))
            .await
            .unwrap();
        assert_eq!(run!(storage, handle,), [Some(long)]);
    }
}

#[tokio::test]
async fn a_push_of_copied_metadata_has_the_ambient_id() {
    let copied = correlation::sync_scope(id("other"), || {
        TaskBuilder::new(LAST).metadata(&Propagated::new()).build()
    });
    let mut storage = MemoryStorage::new().correlated();
    correlation::scope(id("click-1"), storage.push_task(copied))
        .await
        .unwrap();
    assert_eq!(run!(storage, handle,), click());
}

#[tokio::test]
async fn the_inner_of_two_layers_continues_a_context_that_was_made_by_the_outer_one() {
    let outer = Seen::default();
    let tell = tower::Tell(Arc::clone(&outer));
    let mut storage = MemoryStorage::new();
    storage.push(LAST).await.unwrap();
    let inner = run!(storage.correlated(), handle,
        .layer(tell)
        .parallelize(tokio::spawn)
        .layer(CorrelationLayer::new()));
    assert_eq!(inner.len(), 1);
    assert!(inner[0].is_some());
    assert_eq!(inner, *outer.lock().unwrap());
}

/// A layer that tells the ambient ID in its synchronous `call`.
mod tower {
    use super::{Seen, correlation};
    use std::task::{Context, Poll};
    use tower_layer::Layer;
    use tower_service::Service;

    #[derive(Clone)]
    pub(super) struct Tell(pub(super) Seen);

    pub(super) struct Telling<S>(S, Seen);

    impl<S> Layer<S> for Tell {
        type Service = Telling<S>;

        fn layer(&self, inner: S) -> Telling<S> {
            Telling(inner, self.0.clone())
        }
    }

    impl<S: Service<T>, T> Service<T> for Telling<S> {
        type Response = S::Response;
        type Error = S::Error;
        type Future = S::Future;

        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
            self.0.poll_ready(cx)
        }

        fn call(&mut self, task: T) -> S::Future {
            let id = correlation::current().map(String::from);
            self.1.lock().unwrap().push(id);
            self.0.call(task)
        }
    }
}

/// A storage may have a layer of its own, here that of an inner wrapper.
#[tokio::test]
async fn the_scope_lies_around_the_layer_of_the_storage() {
    let strict = Policy::new().trust(Trust::never());
    let inner = MemoryStorage::new().correlated().policy(strict);
    assert_eq!(seen_by!(inner.correlated(),), click());
}

#[tokio::test]
async fn the_plain_layer_reads_what_the_metadata_of_a_task_has() {
    let mut storage = MemoryStorage::new();
    let task = correlation::sync_scope(id("click-1"), || {
        TaskBuilder::new(LAST).metadata(&Propagated::new()).build()
    });
    storage.push_task(task).await.unwrap();
    let seen = run!(storage, handle, .layer(CorrelationLayer::new()));
    assert_eq!(seen, click());
}

#[tokio::test]
async fn the_scope_of_whoever_runs_the_worker_is_not_the_scope_of_its_jobs() {
    let run = async { seen_by!(MemoryStorage::new().correlated(),) };
    assert_eq!(correlation::scope(id("main"), run).await, click());
}

#[tokio::test]
async fn retries_inside_of_the_worker_keep_the_id() {
    async fn fail_once(_: u32, seen: Data<Seen>, worker: WorkerContext) -> Result<(), BoxDynError> {
        let attempts = {
            let mut seen = seen.lock().unwrap();
            seen.push(correlation::current().map(String::from));
            seen.len()
        };
        if attempts == 1 {
            return Err("the first attempt fails".into());
        }
        worker.stop()?;
        Ok(())
    }
    let mut storage = MemoryStorage::new();
    // With no ID at all: the one that the layer makes must stay.
    storage.push(LAST).await.unwrap();
    let seen = run!(storage, fail_once,
        .layer(CorrelationLayer::new())
        .retry(RetryPolicy::retries(1)));
    assert_eq!(seen.len(), 2);
    assert!(seen[0].is_some());
    assert_eq!(seen[0], seen[1]);
}

/// As a cron stream does: each item is a tick.
#[tokio::test]
async fn each_tick_of_a_stream_has_an_id_of_its_own() {
    let ticks = stream::iter([1, 2, LAST].map(Ok::<u32, std::io::Error>));
    let ticks = ticks.pipe_to(MemoryStorage::new().correlated());
    let seen = run!(ticks, handle,);
    let mut seen: Vec<_> = seen.into_iter().flatten().collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn a_policy_counts_in_the_worker_and_where_nothing_is_ambient() {
    let policy = Policy::new().trust(Trust::never());
    let seen = seen_by!(MemoryStorage::new().correlated().policy(policy),);
    assert_eq!(seen.len(), 1);
    assert_ne!(seen, click());

    let generator = correlation::Generator::custom(|| id("made"));
    let policy = Policy::new().generator(generator);
    let mut storage = MemoryStorage::new().correlated().policy(policy);
    storage.push(LAST).await.unwrap();
    assert_eq!(run!(storage, handle,), [Some("made".to_owned())]);
}

/// The headers of requests are no keys of the metadata.
#[tokio::test]
async fn a_policy_for_http_serves_jobs_as_well() {
    for policy in [
        Policy::new().headers(["X-Shop-ID"]),
        Policy::new().sources([Source::TRACEPARENT]),
        Policy::new().sources([]),
    ] {
        let correlated = || MemoryStorage::new().correlated().policy(policy.clone());
        assert_eq!(seen_by!(correlated(),), click());
        let pushed = || {
            correlation::sync_scope(id("click-1"), || {
                TaskBuilder::new(LAST).metadata(&Propagated::new()).build()
            })
        };
        // With nothing ambient, by the rules of the storage.
        let mut storage = correlated();
        storage.push_task(pushed()).await.unwrap();
        assert_eq!(run!(storage, handle,), click());
        let mut storage = MemoryStorage::new();
        storage.push_task(pushed()).await.unwrap();
        let layer = CorrelationLayer::new().policy(policy);
        assert_eq!(run!(storage, handle, .layer(layer.clone())), click());
        // As without a policy, the other default header is a key, too.
        let mut storage = MemoryStorage::new();
        let task = TaskBuilder::new(LAST).metadata(&Other).build();
        storage.push_task(task).await.unwrap();
        assert_eq!(run!(storage, handle, .layer(layer)), click());
    }
}

/// What another producer writes.
struct Other;

impl Metadata for Other {
    type Error = std::convert::Infallible;

    fn extract(_: &MetadataStore) -> Result<Self, Self::Error> {
        Ok(Self)
    }

    fn inject(&self, metadata: &mut MetadataStore) -> Result<(), Self::Error> {
        metadata.extend([("x-request-id", "click-1")]);
        Ok(())
    }
}

#[tokio::test]
async fn a_wrapped_storage_is_still_that_storage() {
    fn is_a_board<B: Expose<u32, apalis_core::backend::finalize::Durable>>(_: &B) {}

    let pool = SqlitePool::connect(":memory:").await.unwrap();
    SqliteStorage::setup(&pool).await.unwrap();
    let mut storage = SqliteStorage::<u32>::new(&pool).correlated();
    is_a_board(&storage);
    // By deref.
    assert_eq!(storage.pool().size(), pool.size());
    correlation::scope(id("click-1"), storage.push(7))
        .await
        .unwrap();

    let filter = Filter {
        status: None,
        page: 1,
        page_size: None,
    };
    let tasks = storage.list_tasks(&filter).await.unwrap();
    assert_eq!(tasks.len(), 1);
    let task_id = tasks[0].task_id().unwrap().clone();
    let task = storage.fetch_by_id(&task_id).await.unwrap().unwrap();
    assert_eq!(task.metadata().get("correlation_id"), Some("click-1"));
    // With no ambient ID a new one is stored, for workers that know nothing of task IDs too.
    storage.push(8).await.unwrap();
    let tasks = storage.list_tasks(&filter).await.unwrap();
    let stored = |task: &Task<Vec<u8>>| task.metadata()["correlation_id"].len();
    let mut stored: Vec<_> = tasks.iter().map(stored).collect();
    stored.sort_unstable();
    assert_eq!(stored, ["click-1".len(), 36]);
    assert_eq!(storage.list_queues().await.unwrap().len(), 1);
    assert_eq!(storage.list_all_workers().await.unwrap().len(), 0);
    assert!(!storage.global().await.unwrap().is_empty());
    let results = WaitForCompletion::<()>::check_status(&mut storage, [task_id]).await;
    assert!(results.unwrap().is_empty());
    assert_eq!(storage.vacuum().await.unwrap(), 0);
    let _: SqliteStorage<u32> = storage.into_inner();
}
