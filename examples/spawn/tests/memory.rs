//! What inheritance keeps in memory. The table is one for the process, so its tests have one, too.
#![cfg(tokio_unstable)]
#![expect(clippy::disallowed_methods, reason = "naked spawns are what is tested")]

use correlation_core::{CorrelationId, current, inherit_on_spawn, scope, sync_scope};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

/// Bytes of this thread that are still held after `tasks` of each kind have ended.
fn kept(runtime: &Runtime, tasks: usize) -> i64 {
    let ended = allocation_counter::measure(|| {
        runtime.block_on(scope(id("abc"), async {
            for _ in 0..tasks {
                tokio::spawn(async {}).await.unwrap();
                let aborted = tokio::spawn(std::future::pending::<()>());
                aborted.abort();
                assert!(aborted.await.is_err());
            }
        }));
    });
    ended.bytes_current
}

/// Bytes that are still held after runtimes that have ended were asked to spawn 1,000 tasks each.
/// Then tokio ends a task before it calls the hook of its spawn.
fn kept_of_late_tasks(runtimes: usize) -> i64 {
    let ended = allocation_counter::measure(|| {
        for _ in 0..runtimes {
            let runtime = inherit_on_spawn(&mut Builder::new_current_thread())
                .build()
                .unwrap();
            let handle = runtime.handle().clone();
            drop(runtime);
            sync_scope(id("abc"), || {
                (0..1_000).for_each(|_| drop(handle.spawn(async {})));
            });
        }
    });
    ended.bytes_current
}

#[test]
fn nothing_is_kept_of_tasks_and_runtimes_that_have_ended() {
    let runtime = inherit_on_spawn(&mut Builder::new_current_thread())
        .build()
        .unwrap();
    // The table gets its room.
    kept(&runtime, 1_000);
    assert_eq!(kept(&runtime, 1_000), 0);
    // The table keeps room for the tasks of one runtime; an entry takes more than 16 bytes.
    let bytes = kept_of_late_tasks(20);
    assert!(bytes < 20 * 1_000 * 16, "{bytes} bytes");
}

/// By hand: `cargo test --release -- --ignored --nocapture`.
#[test]
#[ignore = "ten million tasks"]
fn memory_is_flat_over_ten_million_tasks() {
    fn resident() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4
    }
    let runtime = inherit_on_spawn(&mut Builder::new_multi_thread())
        .build()
        .unwrap();
    let million = || {
        runtime.block_on(async {
            for n in 0..1_000 {
                let mut set = JoinSet::new();
                let spawn = async {
                    for _ in 0..1_000 {
                        set.spawn(async { assert!(current().is_some()) });
                    }
                };
                scope(id(&format!("request-{n}")), spawn).await;
                set.join_all().await;
            }
        });
    };
    million();
    let before = resident();
    (0..10).for_each(|_| million());
    let after = resident();
    println!("{before} KiB resident after a million tasks, {after} KiB after eleven");
    assert!(after < before + 4_096, "{before} KiB, then {after} KiB");
}
