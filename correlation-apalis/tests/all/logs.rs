//! What stands in the log of a worker.

use apalis::layers::WorkerBuilderExt;
use apalis::prelude::*;
use apalis_sqlite::{SqlitePool, SqliteStorage};
use correlation_apalis::correlation::testing::{LogCapture, LogLine};
use correlation_apalis::{Correlate, CorrelationLayer, correlation};
use correlation_testkit::id;
use tracing::Level;

async fn handle(job: u32, worker: WorkerContext) -> Result<(), BoxDynError> {
    tracing::info!("handled {job}");
    worker.stop()?;
    Ok(())
}

#[tokio::test]
async fn apalis_own_lines_about_a_job_have_its_id() {
    let log = LogCapture::start_at(Level::TRACE);
    let pool = SqlitePool::connect(":memory:").await.unwrap();
    SqliteStorage::setup(&pool).await.unwrap();
    let mut storage = SqliteStorage::new(&pool).correlated();
    let push = storage.push(7_u32);
    correlation::scope(id("click-1"), push).await.unwrap();
    WorkerBuilder::new("worker")
        .backend(storage)
        .enable_tracing()
        .build(handle)
        .run()
        .await
        .unwrap();
    for about in [
        "task.start",
        "task started with prev attempts",
        "handled 7",
        "task.done",
    ] {
        let lines = log.lines();
        let found: Vec<_> = lines
            .iter()
            .filter(|line| line.message.starts_with(about))
            .collect();
        assert_eq!(found.len(), 1, "{about}: {lines:?}");
        assert_eq!(found[0].id, Some(id("click-1")), "{about}");
    }
}

/// The lines that a worker with these layers writes about jobs without an ID.
macro_rules! warnings {
    ($storage:expr, $($with:tt)*) => {{
        let log = LogCapture::start_at(Level::TRACE);
        let mut storage = $storage;
        storage.push(7).await.unwrap();
        let builder = WorkerBuilder::new("worker").backend(storage);
        builder $($with)* .build(handle).run().await.unwrap();
        let lines = log.lines();
        let says = |line: &&LogLine| line.message.contains(".parallelize(correlation::spawn)");
        lines.iter().filter(says).count()
    }};
}

#[tokio::test]
async fn a_worker_that_spawns_jobs_without_their_id_says_so_once_when_it_starts() {
    let memory = MemoryStorage::<u32>::new;
    assert_eq!(
        warnings!(memory().correlated(), .parallelize(tokio::spawn)),
        1
    );
    assert_eq!(
        warnings!(memory().correlated(), .enable_tracing().parallelize(tokio::spawn)),
        1
    );
    let closure = |job| tokio::spawn(job);
    assert_eq!(warnings!(memory().correlated(), .parallelize(closure)), 1);
    assert_eq!(
        warnings!(memory(), .layer(CorrelationLayer::new()).parallelize(tokio::spawn)),
        1
    );
}

#[tokio::test]
async fn a_worker_whose_jobs_have_their_id_says_nothing() {
    let memory = MemoryStorage::<u32>::new;
    let layer = CorrelationLayer::new;
    assert_eq!(warnings!(memory().correlated(),), 0);
    assert_eq!(
        warnings!(memory().correlated(), .parallelize(correlation::spawn)),
        0
    );
    let mended = warnings!(memory().correlated(), .parallelize(tokio::spawn).layer(layer()));
    assert_eq!(mended, 0);
    assert_eq!(
        warnings!(memory(), .layer(layer()).parallelize(correlation::spawn)),
        0
    );
    assert_eq!(
        warnings!(memory(), .parallelize(tokio::spawn).layer(layer())),
        0
    );
    assert_eq!(warnings!(memory(), .parallelize(tokio::spawn)), 0);
}
