use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::task::{Poll, Waker};

use futures_util::{FutureExt, StreamExt, future, stream};

use super::*;

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

fn seen() -> String {
    current().map_or_else(|| "none".to_owned(), String::from)
}

/// Tells what it sees while it is dropped.
struct Witness(Sender<String>);

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.0.send(seen());
    }
}

#[tokio::test]
async fn a_scope_lasts_over_every_await() {
    let future = scope(id("a"), async {
        let mut all = vec![seen()];
        tokio::task::yield_now().await;
        all.push(seen());
        let (one, two) = tokio::join!(async { seen() }, scope(id("b"), async { seen() }));
        all.extend([one, two, seen()]);
        all
    });
    assert_eq!(future.await, ["a", "a", "a", "b", "a"]);
    assert_eq!(seen(), "none");
}

#[test]
fn between_two_polls_the_thread_is_free() {
    let mut first = Box::pin(scope(id("a"), poll_twice()));
    let mut second = Box::pin(scope(id("b"), poll_twice()));
    let mut cx = std::task::Context::from_waker(Waker::noop());
    for _ in 0..2 {
        let _ = first
            .poll_unpin(&mut cx)
            .map(|seen| assert_eq!(seen, ["a", "a"]));
        assert_eq!(seen(), "none");
        let _ = second
            .poll_unpin(&mut cx)
            .map(|seen| assert_eq!(seen, ["b", "b"]));
        assert_eq!(seen(), "none");
    }
}

fn poll_twice() -> impl Future<Output = Vec<String>> {
    let mut all = Vec::new();
    future::poll_fn(move |_| {
        all.push(seen());
        if all.len() == 2 {
            Poll::Ready(std::mem::take(&mut all))
        } else {
            Poll::Pending
        }
    })
}

#[test]
fn a_panic_gives_the_former_context_back() {
    sync_scope(id("outer"), || {
        let panicked = catch_unwind(|| sync_scope(id("inner"), || panic!("boom")));
        assert!(panicked.is_err());
        assert_eq!(seen(), "outer");
        let future = scope(id("inner"), async { panic!("boom") });
        assert!(catch_unwind(AssertUnwindSafe(|| future.now_or_never())).is_err());
        assert_eq!(seen(), "outer");
    });
    assert_eq!(seen(), "none");
}

#[test]
fn destructors_see_the_id_however_the_future_ends() {
    let (send, receive) = channel();
    let witness = || Witness(send.clone());

    let local = witness();
    scope(id("completed"), async move { drop(local) }).now_or_never();

    let captured = witness();
    let never_polled = scope(id("never"), async move { drop(captured) });
    drop(never_polled);

    let parked = witness();
    let mut cancelled = Box::pin(scope(id("cancelled"), async move {
        let _parked = parked;
        future::pending::<()>().await;
    }));
    assert!(cancelled.as_mut().now_or_never().is_none());
    drop(cancelled);

    let unwinding = witness();
    let panics = scope(id("unwinding"), async move {
        let _unwinding = unwinding;
        panic!("boom");
    });
    assert!(catch_unwind(AssertUnwindSafe(|| panics.now_or_never())).is_err());

    let result = witness();
    drop(scope(id("inside"), async move { result }).now_or_never());

    let seen: Vec<_> = receive.try_iter().collect();
    // A result that is handed out is no longer ours.
    assert_eq!(
        seen,
        ["completed", "never", "cancelled", "unwinding", "none"]
    );
}

#[tokio::test]
async fn a_stream_sees_the_id_at_every_item_and_at_its_end() {
    let (send, receive) = channel();
    let witness = Witness(send);
    let items = stream::unfold((0, witness), |(n, witness)| async move {
        tokio::task::yield_now().await;
        (n < 3).then(|| (seen(), (n + 1, witness)))
    });
    let scoped = sync_scope(id("a"), || items.in_current());
    assert_eq!(scoped.collect::<Vec<_>>().await, ["a", "a", "a"]);
    assert_eq!(receive.recv().unwrap(), "a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn helpers_carry_the_id_and_nothing_else_does() {
    let all = scope(id("a"), async {
        let carried = carry(|n: u8| {
            let at_call = seen();
            async move { format!("{at_call}{n}{}", seen()) }
        });
        let spawned = [
            tokio::spawn(async { seen() }.in_current()).await.unwrap(),
            tokio::task::spawn_blocking(bind(seen)).await.unwrap(),
            std::thread::spawn(bind(seen)).join().unwrap(),
            std::thread::scope(|threads| threads.spawn(bind(seen)).join().unwrap()),
            tokio::spawn(async move { carried(7).await }).await.unwrap(),
        ];
        let naked = [
            tokio::spawn(async { seen() }).await.unwrap(),
            tokio::task::spawn_blocking(seen).await.unwrap(),
            std::thread::spawn(seen).join().unwrap(),
            detached(async { seen() }).await,
            tokio::spawn(detached(async { seen() }).in_current())
                .await
                .unwrap(),
        ];
        (spawned, naked)
    })
    .await;
    assert_eq!(all.0, ["a", "a", "a", "a", "a7a"]);
    assert_eq!(all.1, ["none"; 5]);
}

#[test]
fn what_was_taken_outside_stays_outside() {
    let future = async { seen() }.in_current();
    let bound = bind(seen);
    sync_scope(id("a"), || {
        assert_eq!(future.now_or_never().unwrap(), "none");
        assert_eq!(bound(), "none");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_thousand_tasks_never_see_each_other() {
    let tasks: Vec<_> = (0..2_000)
        .map(|n| {
            tokio::spawn(scope(id(&n.to_string()), async {
                let mut reads = Vec::new();
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                    reads.push(seen());
                }
                reads
            }))
        })
        .collect();
    let mut right = 0;
    for (n, task) in tasks.into_iter().enumerate() {
        right += task
            .await
            .unwrap()
            .iter()
            .filter(|seen| **seen == n.to_string())
            .count();
    }
    assert_eq!(right, 20_000);
}

/// The test above has power: an ID that is set once and not at every poll fails it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn negative_control() {
    thread_local!(static ID: RefCell<String> = const { RefCell::new(String::new()) });
    let tasks: Vec<_> = (0..2_000)
        .map(|n| {
            tokio::spawn(async move {
                ID.with_borrow_mut(|id| *id = n.to_string());
                tokio::task::yield_now().await;
                ID.with_borrow(|id| *id == n.to_string())
            })
        })
        .collect();
    let mut wrong = 0;
    for task in tasks {
        wrong += usize::from(!task.await.unwrap());
    }
    assert!(wrong > 0);
}

#[test]
fn scopes_work_while_a_thread_ends() {
    struct AtExit(Sender<(String, String)>);
    impl Drop for AtExit {
        fn drop(&mut self) {
            let _ = self.0.send((sync_scope(id("a"), seen), seen()));
        }
    }
    thread_local!(static LAST: RefCell<Option<AtExit>> = const { RefCell::new(None) });
    let (send, receive) = channel();
    std::thread::spawn(move || {
        // The first to be registered is the last to be destroyed.
        LAST.with(|last| *last.borrow_mut() = Some(AtExit(send)));
        sync_scope(id("a"), seen);
    })
    .join()
    .unwrap();
    let (inside, outside) = receive.recv().unwrap();
    assert_eq!(outside, "none");
    assert!(inside == "none" || inside == "a", "it ran");
}

#[test]
fn the_upstream_id_is_given_out_once() {
    let context = Context::received(id("own"), Source::Generated, Some(id("theirs")), None);
    let copy = context.clone();
    assert_eq!(copy.take_upstream_id(), Some(&id("theirs")));
    assert_eq!(context.take_upstream_id(), None);
    assert_eq!(context.upstream_id(), Some(&id("theirs")));
}

#[test]
fn a_context_stays_small() {
    assert!(size_of::<Context>() <= 80, "{}", size_of::<Context>());
    assert!(
        size_of::<Slot>() <= size_of::<Context>(),
        "{}",
        size_of::<Slot>()
    );
}
