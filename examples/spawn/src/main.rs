//! Tasks that inherit the ID, and places where it gets lost.

use std::error::Error;

use correlation_core::{CorrelationId, scope};
use spawn_demo::lost;
use tokio::runtime::{Builder, Runtime};

fn main() -> Result<(), Box<dyn Error>> {
    correlation_core::tracing::init();
    runtime()?.block_on(scope(CorrelationId::new(), request()))
}

/// It does not use `#[tokio::main]`, because the hooks have to be set before the runtime is built.
#[cfg(tokio_unstable)]
fn runtime() -> std::io::Result<Runtime> {
    correlation_core::inherit_on_spawn(Builder::new_multi_thread().enable_all()).build()
}

#[cfg(not(tokio_unstable))]
fn runtime() -> std::io::Result<Runtime> {
    eprintln!("Nothing inherits here: run it in examples/spawn, which sets --cfg tokio_unstable.");
    Builder::new_multi_thread().enable_all().build()
}

/// The work of a request.
async fn request() -> Result<(), Box<dyn Error>> {
    tracing::info!("order received");
    // A library would do the same: it knows of no ID, and neither does the task that its task
    // starts.
    #[expect(clippy::disallowed_methods, reason = "it inherits")]
    tokio::spawn(async {
        tracing::info!("reserving");
        tokio::spawn(async { tracing::info!("reserved") }).await
    })
    .await??;
    let reads = [lost::in_tasks().await?, lost::on_threads().await?];
    for (place, id) in reads.concat() {
        tracing::info!(place, read = id.as_deref().unwrap_or("none"), "inside");
    }
    Ok(())
}
