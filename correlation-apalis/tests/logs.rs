//! What stands in the log of a worker.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use apalis::layers::WorkerBuilderExt;
use apalis::prelude::*;
use apalis_sqlite::{SqlitePool, SqliteStorage};
use correlation_apalis::{Correlate, CorrelationLayer, correlation};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Logs what this thread does.
    fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .map_writer(correlation::tag)
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }
}

async fn handle(job: u32, worker: WorkerContext) -> Result<(), BoxDynError> {
    tracing::info!("handled {job}");
    worker.stop()?;
    Ok(())
}

#[tokio::test]
async fn apalis_own_lines_about_a_job_have_its_id() {
    let (log, _guard) = Log::begin();
    let pool = SqlitePool::connect(":memory:").await.unwrap();
    SqliteStorage::setup(&pool).await.unwrap();
    let mut storage = SqliteStorage::new(&pool).correlated();
    let id: correlation::CorrelationId = "click-1".parse().unwrap();
    correlation::scope(id, storage.push(7_u32)).await.unwrap();
    WorkerBuilder::new("worker")
        .backend(storage)
        .enable_tracing()
        .build(handle)
        .run()
        .await
        .unwrap();
    let lines = log.lines();
    for about in [
        "task.start",
        "task started with prev attempts",
        "handled 7",
        "task.done",
    ] {
        let found: Vec<_> = lines.iter().filter(|line| line.contains(about)).collect();
        assert_eq!(found.len(), 1, "{about}: {lines:#?}");
        assert!(found[0].ends_with("correlation_id=click-1"), "{found:?}");
    }
}

/// The lines that a worker with these layers writes about jobs without an ID.
macro_rules! warnings {
    ($storage:expr, $($with:tt)*) => {{
        let (log, _guard) = Log::begin();
        let mut storage = $storage;
        storage.push(7).await.unwrap();
        let builder = WorkerBuilder::new("worker").backend(storage);
        builder $($with)* .build(handle).run().await.unwrap();
        let lines = log.lines();
        let warned = |line: &&String| line.contains(".parallelize(correlation::spawn)");
        lines.iter().filter(warned).count()
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
