//! The ambient context: what each piece of code sees, and what is left behind.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::task::{self, Poll, Waker};

use correlation_core::adapter::{Ambient, scoped};
use correlation_core::{
    Context, CorrelationId, InCurrent, Origin, Policy, TraceContext, Trust, bind, carry, detached,
    scope, snapshot, sync_scope,
};
#[cfg(feature = "tracing")]
use correlation_testkit::Capture;
use futures_util::{FutureExt, Stream as _, StreamExt, future, stream};

use crate::{CID, RID, TRACE, accepted, id, receive, seen, sent};

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        assert_eq!(seen(), "inner");
        panic!("boom");
    }
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
    let mut cx = task::Context::from_waker(Waker::noop());
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
        let panics = scoped(id("inner").into(), PanicsInDrop);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(panics))).is_err());
        assert_eq!(seen(), "outer");
    });
    assert_eq!(seen(), "none");
}

#[test]
fn destructors_see_the_id_however_the_future_ends() {
    let (send, receive) = channel();
    let witness = || Witness(send.clone());

    // No part of it is gone before, as in an `async` block that has ended.
    struct Whole(#[expect(dead_code, reason = "its drop tells")] Witness);
    impl Future for Whole {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }
    }
    scope(id("whole"), Whole(witness())).now_or_never();

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
        [
            "whole",
            "completed",
            "never",
            "cancelled",
            "unwinding",
            "none"
        ]
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

/// It may hold a connection or a lock, and whoever holds the stream need not drop it at once.
#[test]
fn a_stream_is_dropped_when_it_ends() {
    let (send, receive) = channel();
    let witness = Witness(send);
    let items = stream::iter([1]).chain(stream::poll_fn(move |_| {
        let _held = &witness;
        Poll::Ready(None)
    }));
    let mut scoped = Box::pin(sync_scope(id("a"), || items.in_current()));
    assert_eq!(scoped.next().now_or_never(), Some(Some(1)));
    assert!(receive.try_recv().is_err());
    assert_eq!(scoped.next().now_or_never(), Some(None));
    assert_eq!(receive.try_recv().unwrap(), "a");
    assert_eq!(scoped.next().now_or_never(), Some(None));
    assert_eq!(futures_core::Stream::size_hint(&scoped), (0, Some(0)));
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
    let snapshot = snapshot();
    sync_scope(id("a"), || {
        assert_eq!(future.now_or_never().unwrap(), "none");
        assert_eq!(bound(), "none");
        assert_eq!(snapshot.run(seen), "none");
    });
}

/// The limit that the README tells of, with its cure: what is polled from within a scope reads it.
#[tokio::test]
async fn a_local_task_without_a_helper_reads_the_scope_that_polls_it() {
    let local = tokio::task::LocalSet::new();
    let naked = local.spawn_local(async { seen() });
    let helped = local.spawn_local(detached(async { seen() }));
    scope(
        id("b"),
        local.run_until(async {
            assert_eq!(naked.await.unwrap(), "b");
            assert_eq!(helped.await.unwrap(), "none");
        }),
    )
    .await;

    // A runtime cannot block on another from within, so on a thread of its own.
    let blocked_on = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let naked = runtime.spawn(async { seen() });
        let helped = runtime.spawn(sync_scope(id("a"), || async { seen() }.in_current()));
        sync_scope(id("b"), || {
            runtime.block_on(async { (naked.await.unwrap(), helped.await.unwrap()) })
        })
    };
    let seen = std::thread::spawn(blocked_on).join().unwrap();
    assert_eq!(seen, ("b".to_owned(), "a".to_owned()));
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

/// Whatever the library keeps for a thread is gone by then.
#[test]
fn all_works_while_a_thread_ends() {
    struct AtExit(Sender<Vec<String>>);
    impl Drop for AtExit {
        fn drop(&mut self) {
            let mut all = work();
            all.push(seen());
            let _ = self.0.send(all);
        }
    }
    thread_local!(static LAST: RefCell<Option<AtExit>> = const { RefCell::new(None) });
    let (send, receive) = channel();
    std::thread::spawn(move || {
        // The first to be registered is the last to be destroyed.
        LAST.with(|last| *last.borrow_mut() = Some(AtExit(send)));
        work();
    })
    .join()
    .unwrap();
    assert_eq!(receive.recv().unwrap(), ["a", "36", "b", "line", "none"]);
}

/// IDs, scopes, requests and log lines.
fn work() -> Vec<String> {
    let new = CorrelationId::new().as_str().len().to_string();
    let request = accepted(&Policy::new(), &[(CID, "b")]);
    let all = vec![sync_scope(id("a"), seen), new, sync_scope(request, seen)];
    #[cfg(feature = "tracing")]
    {
        use std::io::Write;
        use tracing_subscriber::fmt::MakeWriter;

        let log = Capture::default();
        let tag = correlation_core::tag(log.clone());
        sync_scope(id("a"), || tag.make_writer().write_all(b"done\n")).unwrap();
        assert_eq!(log.text(), "done correlation_id=a\n");
    }
    [all, vec!["line".to_owned()]].concat()
}

#[test]
fn a_context_is_a_pointer() {
    assert_eq!(size_of::<Context>(), size_of::<usize>());
    assert_eq!(size_of::<Ambient>(), 16);
}

#[test]
fn where_there_is_no_context_a_new_one_can_be_had() {
    let [first, second] = [(); 2].map(|()| Context::current_or_new());
    assert_eq!(first.origin(), Origin::Generated);
    assert_ne!(first.id(), second.id());
    let request = accepted(&Policy::new(), &[(RID, "a")]);
    let known = sync_scope(request, Context::current_or_new);
    assert_eq!(
        (known.id().as_str(), known.origin()),
        ("a", Origin::Header(RID))
    );
    let none = detached(async { Context::current_or_new() });
    let none = scope(id("a"), none).now_or_never().unwrap();
    assert_eq!(none.origin(), Origin::Generated);
}

/// Whoever holds a context says which one is sent: what is ambient does not matter.
#[test]
fn a_context_is_written_wherever_it_is_held() {
    let context = accepted(&Policy::new(), &[(CID, "a"), ("traceparent", TRACE)]);
    let written = || {
        let mut headers = BTreeMap::from([("X-Correlation-ID".to_owned(), "copied".to_owned())]);
        context.inject(&mut headers);
        headers
    };
    let expected = BTreeMap::from([(CID, "a"), ("traceparent", TRACE)].map(owned));
    assert_eq!(written(), expected);
    assert_eq!(sync_scope(id("other"), written), expected);
    let nowhere = scope(id("other"), detached(async { written() }));
    assert_eq!(nowhere.now_or_never().unwrap(), expected);
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// The function is foreign code: no lock is held, and no borrow, while it runs.
#[cfg(feature = "tracing")]
#[test]
fn who_is_shown_the_id_may_do_anything() {
    use correlation_core::with_current;
    use std::io::Write;
    use tracing_subscriber::fmt::MakeWriter;

    let log = Capture::default();
    let tag = correlation_core::tag(log.clone());
    let (send, receive) = channel();
    let mut of_the_scope = None;
    let shown = sync_scope(id("a"), || {
        of_the_scope = Some(Witness(send).in_current());
        with_current(|shown| {
            assert_eq!(sync_scope(id("b"), seen), "b");
            assert_eq!(std::thread::spawn(bind(seen)).join().unwrap(), "a");
            tag.make_writer().write_all(b"done\n").unwrap();
            assert!(with_current(|again| again == shown));
            drop(of_the_scope.take());
            shown.map(str::to_owned)
        })
    });
    assert_eq!(shown.as_deref(), Some("a"));
    assert_eq!(receive.recv().unwrap(), "a");
    assert_eq!(log.text(), "done correlation_id=a\n");
    assert!(with_current(|shown| shown.is_none()));
}

/// Nor is the context gone before the function has ended.
#[cfg(feature = "tokio")]
#[test]
fn the_id_outlives_its_context_while_it_is_shown() {
    use correlation_core::{adapter::TaskContext, with_current};

    let request = || {
        let mut request = Some(TaskContext::enter(id("a").into()));
        with_current(|shown| {
            drop(request.take());
            assert_eq!(seen(), "none");
            // The memory is not used for another meanwhile.
            assert_eq!(sync_scope(id("b"), seen), "b");
            shown.map(str::to_owned)
        })
    };
    let shown = std::thread::spawn(request).join().unwrap();
    assert_eq!(shown.as_deref(), Some("a"));
}

fn plain_request() -> Context {
    accepted(&Policy::new(), &[])
}

/// A request with all that a context can hold.
fn full_request() -> Context {
    let policy = Policy::new().trust(Trust::never());
    let policy = policy.trace_context(TraceContext::Participate { sampled: true });
    #[cfg(feature = "tracing")]
    let policy = policy.request_span(true);
    receive(&policy, &[(CID, "theirs"), ("traceparent", TRACE)], None).into_context()
}

/// The next request on a thread has the memory of the last one, and nothing else of it.
#[test]
fn nothing_of_a_request_is_left_to_the_next_one() {
    let requests = || {
        // One with another origin, and one with all the rest.
        sync_scope(accepted(&Policy::new(), &[(RID, "a")]), || ());
        assert_eq!(plain_request().origin(), Origin::Generated);
        let full = full_request();
        assert!(full.trace_id().is_some() && full.untrusted_id().is_some());
        let first = full.id().to_string();
        sync_scope(full, || assert_eq!(seen(), first));

        let plain = plain_request();
        assert_ne!(plain.id().as_str(), first);
        assert_eq!(plain.origin(), Origin::Generated);
        assert_eq!((plain.trace_id(), plain.untrusted_id()), (None, None));
        assert_eq!(sent(&plain), [owned((CID, plain.id().as_str()))]);
        // What the last caller sent is nothing to this request.
        let mut headers = BTreeMap::from([owned(("traceparent", TRACE))]);
        plain.inject(&mut headers);
        assert_eq!(headers["traceparent"], TRACE);
        sync_scope(plain, in_a_line)
    };
    #[cfg(feature = "tracing")]
    {
        let (last, log) = crate::logged(requests);
        assert!(log.ends_with(&last), "{log}");
    }
    #[cfg(not(feature = "tracing"))]
    requests();
}

/// Logs, and says what the line has to be: a span of another request would stand in it.
fn in_a_line() -> String {
    #[cfg(feature = "tracing")]
    tracing::info!(target: "plain", "done");
    format!("\n INFO plain: done correlation_id={}\n", seen())
}

#[cfg(feature = "tracing")]
#[test]
fn the_span_of_a_request_ends_with_its_scope() {
    use tracing_subscriber::fmt::format::FmtSpan;

    let log = Capture::default();
    let subscriber = tracing_subscriber::fmt()
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(log.clone());
    let closed = || log.lines_with(&["request", "close"]);
    tracing::subscriber::with_default(subscriber.finish(), || {
        let mut request = Box::pin(scope(full_request(), future::ready(())));
        assert_eq!(request.as_mut().now_or_never(), Some(()));
        assert!(closed().is_empty());
        drop(request);
        assert_eq!(closed().len(), 1);
        sync_scope(full_request(), || ());
        assert_eq!(closed().len(), 2);
    });
}

/// So have the lines that say when it begins and ends, wherever that happens.
#[cfg(feature = "tracing")]
#[test]
fn all_lines_of_the_span_of_a_request_have_its_id() {
    use tracing_subscriber::fmt::format::FmtSpan;

    let log = Capture::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_span_events(FmtSpan::FULL)
        .with_writer(correlation_core::tag(log.clone()));
    let ids = tracing::subscriber::with_default(subscriber.finish(), || {
        let [cancelled, kept, alone] = [(); 3].map(|()| full_request());
        let ids = [&cancelled, &kept, &alone].map(|context| context.id().to_string());
        sync_scope(alone, || ());
        sync_scope(id("outer"), || {
            drop(scope(cancelled, future::pending::<()>()));
            scope(kept.clone(), future::ready(())).now_or_never();
            drop(kept);
        });
        ids
    });
    for id in ids {
        let of_span = |record: &&serde_json::Value| {
            record["span"]["correlation_id"] == *id || record["fields"]["correlation_id"] == *id
        };
        let records = log.records();
        let records: Vec<_> = records.iter().filter(of_span).collect();
        let said = |message| {
            records
                .iter()
                .any(|record| record["fields"]["message"] == message)
        };
        assert!(said("new") && said("close"), "{records:?}");
        for record in records {
            assert_eq!(record["correlation_id"], *id, "{record}");
            assert_eq!(record["trace_id"].as_str().unwrap().len(), 32);
        }
    }
}

/// A span with the ID in its name would be a new name for each request.
#[cfg(feature = "tracing")]
#[test]
fn the_span_of_a_request_has_one_name() {
    let log = Capture::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone());
    let ids = tracing::subscriber::with_default(subscriber.finish(), || {
        [0, 1].map(|_| {
            let request = full_request();
            sync_scope(request.clone(), || tracing::info!("done"));
            request.id().to_string()
        })
    });
    let records = log.records();
    let done = records
        .iter()
        .filter(|record| record["fields"]["message"] == "done");
    let spans: Vec<_> = done.map(|record| record["span"].clone()).collect();
    let want = ids.map(|id| serde_json::json!({"name": "request", "correlation_id": id}));
    assert_eq!(spans, want);
}

/// No code of the application runs in it.
#[cfg(feature = "tracing")]
#[test]
fn a_rejected_request_has_no_span() {
    let policy = Policy::new().request_span(true).reject_missing(true);
    let (line, log) = crate::logged(|| {
        let decision = receive(&policy, &[], None);
        assert!(decision.rejected().is_some());
        sync_scope(decision.into_context(), in_a_line)
    });
    assert!(log.ends_with(line.trim_start()), "{log}");
    assert!(!log.contains("request{"), "{log}");
}

#[test]
fn a_context_that_is_held_does_not_change() {
    let held = full_request();
    let known = |context: &Context| format!("{context:?}");
    let before = known(&held);
    sync_scope(held.clone(), || ());
    scope(held.clone(), async {}).now_or_never();
    for _ in 0..2 {
        sync_scope(plain_request(), || assert_eq!(known(&held), before));
    }
    assert_eq!(known(&held), before);
    // Nor one that a future or a snapshot holds.
    let (parked, snapshot) = sync_scope(id("a"), || (async { seen() }.in_current(), snapshot()));
    sync_scope(id("b"), seen);
    assert_eq!(snapshot.run(seen), "a");
    assert_eq!(parked.now_or_never().unwrap(), "a");
}

#[test]
fn a_bound_function_that_nobody_calls_is_dropped_with_the_id() {
    let (send, receive) = channel();
    let witness = || Witness(send.clone());
    let (bound, carried) = (witness(), witness());
    let bound = sync_scope(id("bound"), || bind(move || drop(bound)));
    drop(bound);
    let carried = sync_scope(id("carried"), || carry(|()| async move { drop(carried) }));
    drop(carried);
    assert_eq!(receive.try_iter().collect::<Vec<_>>(), ["bound", "carried"]);
}

/// Such as a connection, whose requests the framework ties to its task.
#[cfg(feature = "tokio")]
#[tokio::test]
async fn a_task_that_was_spawned_outside_of_scopes_may_serve_a_request() {
    use correlation_core::adapter::TaskContext;

    let connection = async {
        let _request = TaskContext::enter(id("request").into());
        seen()
    };
    let spawned = correlation_core::spawn(connection).await;
    assert_eq!(spawned.unwrap(), "request");
}

/// Unset, detached or set, where a framework knows of a request: only what is unset asks it.
#[cfg(feature = "tokio")]
#[tokio::test]
async fn a_task_is_asked_where_nothing_was_said() {
    use correlation_core::adapter::TaskContext;

    fn all() -> (String, String) {
        let now = match Ambient::now() {
            Ambient::Unset => "unset".to_owned(),
            Ambient::Absent => "absent".to_owned(),
            Ambient::Detached => "detached".to_owned(),
            Ambient::Set(context) => context.id().to_string(),
        };
        (now, seen())
    }
    let states = |outer: &'static str| async move {
        let unset = all();
        let set = scope(id("set"), async { all() }).await;
        let none = detached(async { all() }).await;
        let both = scope(id("set"), detached(async { all() })).await;
        let again = detached(scope(id("set"), async { all() })).await;
        let pair = |now: &str, seen: &str| (now.to_owned(), seen.to_owned());
        let detached = pair("detached", "none");
        let expected = [
            pair("set", "set"),
            detached.clone(),
            detached,
            pair("set", "set"),
        ];
        assert_eq!([set, none, both, again], expected);
        let seen = if outer == "unset" { "none" } else { outer };
        assert_eq!(unset, pair(outer, seen));
        assert_eq!(all(), unset);
    };
    states("unset").await;
    let task = async move {
        let request = TaskContext::enter(id("task").into());
        states("task").await;
        // The request of a task ends no scope: a new request on it is a new one.
        assert_eq!(plain_request().origin(), Origin::Generated);
        drop(request);
        states("unset").await;
    };
    tokio::spawn(task).await.unwrap();
}

/// Their bodies may still be written, and neither is more current than the other.
#[cfg(feature = "tokio")]
#[tokio::test]
async fn of_two_answered_requests_of_a_task_none_is_current() {
    use correlation_core::adapter::TaskContext;

    let task = async {
        let enter = |text| TaskContext::enter(id(text).into());
        let (first, second) = (enter("first"), enter("second"));
        first.finish();
        assert_eq!(seen(), "second");
        second.finish();
        assert_eq!(seen(), "none");
        drop(first);
        assert_eq!(seen(), "second");
    };
    tokio::spawn(task).await.unwrap();
}

/// The context of a call: the one where it is sent, then the one where it was begun.
#[test]
fn detached_wins_over_any_context() {
    let [unset, absent, gone] = [Ambient::Unset, Ambient::Absent, Ambient::Detached];
    let set = |text| Ambient::Set(id(text).into());
    for (begun, now, sent) in [
        (unset.clone(), unset.clone(), None),
        (unset.clone(), gone.clone(), None),
        (unset.clone(), set("now"), Some("now")),
        (unset.clone(), absent.clone(), None),
        (absent.clone(), unset.clone(), None),
        (absent.clone(), absent.clone(), None),
        (absent.clone(), gone.clone(), None),
        (absent.clone(), set("now"), Some("now")),
        (gone.clone(), absent.clone(), None),
        (set("begun"), absent, Some("begun")),
        (gone.clone(), unset.clone(), None),
        (gone.clone(), gone.clone(), None),
        (gone.clone(), set("now"), None),
        (set("begun"), unset, Some("begun")),
        (set("begun"), gone, None),
        (set("begun"), set("now"), Some("now")),
    ] {
        let at_send = || begun.at_send().map(|context| context.id().to_string());
        let is = match now.clone() {
            Ambient::Unset => at_send(),
            Ambient::Absent => async { at_send() }.in_current().now_or_never().unwrap(),
            Ambient::Detached => detached(async { at_send() }).now_or_never().unwrap(),
            Ambient::Set(context) => sync_scope(context, at_send),
        };
        assert_eq!(is.as_deref(), sent, "{begun:?} {now:?}");
    }
}

/// A stream keeps what it says of its length, which `collect` allocates by.
#[test]
fn a_stream_in_a_scope_keeps_its_length() {
    let mut stream = sync_scope(id("a"), || stream::iter([1, 2]).in_current());
    assert_eq!(stream.size_hint(), (2, Some(2)));
    assert_eq!(stream.next().now_or_never().unwrap(), Some(1));
    assert_eq!(stream.size_hint(), (1, Some(1)));
}
