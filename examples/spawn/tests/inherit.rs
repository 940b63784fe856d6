//! With `--cfg tokio_unstable`, tasks inherit the ID of whoever spawns them.
#![cfg(tokio_unstable)]
#![expect(clippy::disallowed_methods, reason = "naked spawns are what is tested")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use correlation_core::{
    CorrelationId, adapter::SpawnHooks, current, detached, inherit_on_spawn, scope, spawn_blocking,
    sync_scope,
};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Barrier;
use tokio::task::{JoinSet, LocalSet, yield_now};
use tokio_util::task::TaskTracker;

fn inheriting() -> Runtime {
    inherit_on_spawn(&mut Builder::new_multi_thread())
        .build()
        .unwrap()
}

fn plain() -> Runtime {
    Builder::new_multi_thread().build().unwrap()
}

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

fn seen() -> Option<String> {
    current().map(String::from)
}

/// What the tasks below a request have read.
#[derive(Default)]
struct Reads {
    right: AtomicUsize,
    wrong: AtomicUsize,
    none: AtomicUsize,
}

impl Reads {
    fn read(&self, expected: &str) {
        let count = match seen() {
            Some(id) if id == expected => &self.right,
            Some(_) => &self.wrong,
            None => &self.none,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn counts(&self) -> [usize; 3] {
        [&self.right, &self.wrong, &self.none].map(|count| count.load(Ordering::Relaxed))
    }
}

/// Spawns two tasks, which spawn two each, and so on: in turn by `tokio::spawn`, by a `JoinSet`,
/// and by the code of another crate. Each reads before and after it waits for the others.
fn tree(
    depth: usize,
    expected: Arc<str>,
    reads: Arc<Reads>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        reads.read(&expected);
        yield_now().await;
        if depth > 0 {
            let child = || tree(depth - 1, Arc::clone(&expected), Arc::clone(&reads));
            match depth % 3 {
                0 => {
                    let both = [tokio::spawn(child()), tokio::spawn(child())];
                    for task in both {
                        task.await.unwrap();
                    }
                }
                1 => {
                    let mut set = JoinSet::new();
                    set.spawn(child());
                    set.spawn(child());
                    set.join_all().await;
                }
                _ => {
                    let tracker = TaskTracker::new();
                    tracker.spawn(child());
                    tracker.spawn(child());
                    tracker.close();
                    tracker.wait().await;
                }
            }
        }
        reads.read(&expected);
    })
}

/// 200 requests at once; each spawns a tree of 30 tasks, which read twice each.
fn requests(runtime: &Runtime) -> [usize; 3] {
    let (reads, barrier) = (Arc::<Reads>::default(), Arc::new(Barrier::new(200)));
    let requests: Vec<_> = (0..200)
        .map(|n| {
            let (reads, barrier) = (Arc::clone(&reads), Arc::clone(&barrier));
            let expected = format!("request-{n}");
            runtime.spawn(scope(id(&expected), async move {
                barrier.wait().await;
                let root = tree(3, expected.into(), reads);
                tokio::spawn(root).await.unwrap();
            }))
        })
        .collect();
    runtime.block_on(async {
        for request in requests {
            request.await.unwrap();
        }
    });
    reads.counts()
}

#[test]
fn every_generation_reads_the_id_of_its_request() {
    let all = 200 * 15 * 2;
    assert_eq!(requests(&inheriting()), [all, 0, 0]);
    assert_eq!(requests(&plain()), [0, 0, all], "the control");
}

#[test]
fn a_scope_and_detached_win() {
    inheriting().block_on(scope(id("outer"), async {
        let task = tokio::spawn(async {
            let inner = scope(id("inner"), async {
                (seen(), tokio::spawn(async { seen() }).await.unwrap())
            });
            let none = detached(async { (seen(), tokio::spawn(async { seen() }).await.unwrap()) });
            (
                inner.await,
                none.await,
                sync_scope(id("sync"), seen),
                seen(),
            )
        });
        let some = |text: &str| Some(text.to_owned());
        let (inner, none, sync, own) = task.await.unwrap();
        assert_eq!(inner, (some("inner"), some("inner")));
        assert_eq!(none, (None, None));
        assert_eq!((sync, own), (some("sync"), some("outer")));
    }));
}

/// The ID is there wherever the code of a task runs: in its destructor, too, whatever ended it.
#[test]
fn what_a_task_drops_reads_the_id() {
    struct OnDrop(Arc<Reads>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.read("abc");
        }
    }
    let (reads, runtime) = (Arc::<Reads>::default(), inheriting());
    let held = || OnDrop(Arc::clone(&reads));
    runtime.block_on(scope(id("abc"), async {
        let (done, panics, aborted, shut_down) = (held(), held(), held(), held());
        tokio::spawn(async { drop(done) }).await.unwrap();
        let panics = tokio::spawn(async {
            let _held = panics;
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        assert!(panics.await.unwrap_err().is_panic());
        let task = tokio::spawn(async {
            let _held = aborted;
            std::future::pending::<()>().await;
        });
        yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        tokio::spawn(async {
            let _held = shut_down;
            std::future::pending::<()>().await;
        });
    }));
    drop(runtime);
    assert_eq!(reads.counts(), [4, 0, 0]);
}

#[test]
fn a_local_runtime_inherits_and_a_local_set_does_not() {
    let local = inherit_on_spawn(&mut Builder::new_current_thread())
        .build_local(tokio::runtime::LocalOptions::default())
        .unwrap();
    let read = local.block_on(scope(id("abc"), async {
        tokio::task::spawn_local(async { seen() }).await.unwrap()
    }));
    assert_eq!(read.as_deref(), Some("abc"));

    let set = LocalSet::new();
    let read = set.block_on(
        &inheriting(),
        scope(id("abc"), async {
            tokio::task::spawn_local(async { seen() }).await.unwrap()
        }),
    );
    assert_eq!(read, None);
}

#[test]
fn blocking_work_keeps_its_helper() {
    inheriting().block_on(scope(id("abc"), async {
        assert_eq!(tokio::task::spawn_blocking(seen).await.unwrap(), None);
        let task = tokio::spawn(async { spawn_blocking(seen).await.unwrap() });
        assert_eq!(task.await.unwrap().as_deref(), Some("abc"));
    }));
}

/// The workers of actix-web have runtimes of their own, whose hooks nobody can set. A task that is
/// spawned on a runtime with hooks inherits from there, too: by its handle, or by plain
/// `tokio::spawn` where its handle is entered at each poll.
#[test]
fn handlers_of_actix_spawn_on_a_runtime_that_inherits() {
    use std::future::poll_fn;
    use std::pin::pin;

    use actix_web::body::MessageBody;
    use actix_web::dev::{ServiceRequest, ServiceResponse};
    use actix_web::middleware::{Next, from_fn};
    use actix_web::{App, Error, rt, test, web};

    async fn entered(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        let handle = request.app_data::<web::Data<Handle>>().cloned();
        let handle = handle.expect("a handle in the app's data");
        let mut response = pin!(next.call(request));
        poll_fn(|cx| {
            let _entered = handle.enter();
            response.as_mut().poll(cx)
        })
        .await
    }

    async fn by_handle(on: web::Data<Handle>) -> String {
        let mut set = JoinSet::new();
        set.spawn_on(async { seen() }, &on);
        let grandchild = on.spawn(async { tokio::spawn(async { seen() }).await.unwrap() });
        let reads = [
            grandchild.await.unwrap(),
            set.join_next().await.unwrap().unwrap(),
            rt::spawn(async { seen() }).await.unwrap(),
            tokio::spawn(async { seen() }).await.unwrap(),
        ];
        reads.map(Option::unwrap_or_default).join(",")
    }

    async fn plainly() -> String {
        let mut set = JoinSet::new();
        set.spawn(async { seen() });
        let reads = [
            tokio::spawn(async { seen() }).await.unwrap(),
            set.join_next().await.unwrap().unwrap(),
            rt::spawn(async { seen() }).await.unwrap(),
        ];
        reads.map(Option::unwrap_or_default).join(",")
    }

    let runtime = inheriting();
    let handle = web::Data::new(runtime.handle().clone());
    rt::System::new().block_on(async move {
        let app = App::new()
            .app_data(handle)
            .wrap(correlation_actix::Correlation::new())
            .route("/handle", web::get().to(by_handle))
            .service(
                web::scope("/entered")
                    .wrap(from_fn(entered))
                    .route("", web::get().to(plainly)),
            );
        let app = test::init_service(app).await;
        for (path, read) in [("/handle", "abc,abc,,"), ("/entered", "abc,abc,")] {
            let request = test::TestRequest::with_uri(path);
            let request = request
                .insert_header(("x-correlation-id", "abc"))
                .to_request();
            let body = test::call_and_read_body(&app, request).await;
            assert_eq!(body, read, "{path}");
        }
    });
    drop(runtime);
}

#[test]
fn hooks_of_ones_own_call_ours() {
    let spawned = Arc::new(AtomicUsize::new(0));
    let (hooks, count) = (SpawnHooks::new(), Arc::clone(&spawned));
    let at_end = hooks.clone();
    let runtime = Builder::new_current_thread()
        .on_task_spawn(move |task| {
            count.fetch_add(1, Ordering::Relaxed);
            hooks.on_task_spawn(task.id());
        })
        .on_task_terminate(move |task| at_end.on_task_terminate(task.id()))
        .build()
        .unwrap();
    let read = runtime.block_on(scope(id("abc"), async {
        tokio::spawn(async { seen() }).await.unwrap()
    }));
    assert_eq!(
        (read.as_deref(), spawned.load(Ordering::Relaxed)),
        (Some("abc"), 1)
    );
}
