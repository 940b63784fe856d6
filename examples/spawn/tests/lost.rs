//! Where the ID is lost, and what inherits it with `--cfg tokio_unstable`.

use correlation_core::{CorrelationId, scope};
use spawn_demo::lost;
use tokio::runtime::Builder;

#[test]
fn new_tasks_and_threads_have_no_id() {
    let mut builder = Builder::new_current_thread();
    let (in_tasks, on_threads) =
        builder
            .build()
            .unwrap()
            .block_on(scope(CorrelationId::new(), async {
                (
                    lost::in_tasks().await.unwrap(),
                    lost::on_threads().await.unwrap(),
                )
            }));
    assert_eq!((in_tasks.len(), on_threads.len()), (3, 13));
    for (place, id) in [in_tasks, on_threads].concat() {
        assert_eq!(id, None, "{place}");
    }
}

#[cfg(tokio_unstable)]
#[test]
fn tasks_inherit_and_threads_do_not() {
    let mut builder = Builder::new_current_thread();
    let runtime = correlation_core::inherit_on_spawn(&mut builder)
        .build()
        .unwrap();
    let reads = async {
        (
            lost::in_tasks().await.unwrap(),
            lost::on_threads().await.unwrap(),
        )
    };
    let (in_tasks, on_threads) = runtime.block_on(scope(CorrelationId::new(), reads));
    assert!(in_tasks.iter().all(|(_, id)| id.is_some()), "{in_tasks:?}");
    assert!(
        on_threads.iter().all(|(_, id)| id.is_none()),
        "{on_threads:?}"
    );
}
