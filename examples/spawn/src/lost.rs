//! Each way to lose the ID. `cargo clippy` finds them all: an `expect` of a lint fails if the lint
//! finds nothing.

use std::sync::mpsc;
use std::thread;

use rayon::prelude::*;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};

/// A place, and the ID that is read there.
pub type Read = (&'static str, Option<String>);

/// Reads the ID in new tasks of tokio. Call it on a runtime and in a scope.
///
/// # Errors
///
/// If a task has panicked.
pub async fn in_tasks() -> Result<Vec<Read>, JoinError> {
    let mut set = JoinSet::new();
    #[expect(clippy::disallowed_methods)]
    set.spawn(async { ("JoinSet::spawn", id()) });
    let mut reads = set.join_all().await;
    #[expect(clippy::disallowed_methods)]
    let task = tokio::spawn(async { id() });
    reads.push(("tokio::spawn", task.await?));
    #[expect(clippy::disallowed_methods)]
    let task = Handle::current().spawn(async { id() });
    reads.push(("Handle::spawn", task.await?));
    Ok(reads)
}

/// Reads the ID on other threads. Call it on a runtime and in a scope.
///
/// # Errors
///
/// If a task has panicked.
pub async fn on_threads() -> Result<Vec<Read>, JoinError> {
    let mut set = JoinSet::new();
    #[expect(clippy::disallowed_methods)]
    set.spawn_blocking(|| ("JoinSet::spawn_blocking", id()));
    let mut reads = set.join_all().await;
    #[expect(clippy::disallowed_methods)]
    let task = tokio::task::spawn_blocking(id);
    reads.push(("spawn_blocking", task.await?));
    #[expect(clippy::disallowed_methods)]
    let task = Handle::current().spawn_blocking(id);
    reads.push(("Handle::spawn_blocking", task.await?));

    let (send, read) = mpsc::channel();
    let reader = |how| {
        let send = send.clone();
        move || drop(send.send((how, id())))
    };
    #[expect(clippy::disallowed_methods)]
    let spawned = thread::spawn(reader("thread::spawn"));
    #[expect(clippy::disallowed_methods)]
    let built = thread::Builder::new().spawn(reader("thread::Builder::spawn"));
    for thread in [Some(spawned), built.ok()].into_iter().flatten() {
        let _ = thread.join();
    }
    thread::scope(|threads| {
        #[expect(clippy::disallowed_methods)]
        threads.spawn(reader("thread::Scope::spawn"));
    });
    #[expect(clippy::disallowed_methods)]
    rayon::spawn(reader("rayon::spawn"));
    #[expect(clippy::disallowed_methods)]
    rayon::join(reader("rayon::join"), || ());
    #[expect(clippy::disallowed_methods)]
    rayon::scope(|_| reader("rayon::scope")());
    #[expect(clippy::disallowed_methods)]
    [(), ()].par_iter().for_each(|()| reader("par_iter")());
    #[expect(clippy::disallowed_methods)]
    (0..2)
        .into_par_iter()
        .for_each(|_| reader("into_par_iter")());
    drop(send);
    reads.extend(read);
    Ok(reads)
}

fn id() -> Option<String> {
    correlation_core::current().map(String::from)
}
