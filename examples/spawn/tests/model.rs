//! Tasks that inherit, against a model of a few lines: trees of tasks, each spawned in one of many
//! ways and places, which end in one of many ways. Each reads whenever it runs, and when it is
//! dropped, and all reads have to be what [`Node::expected`] says.
#![cfg(tokio_unstable)]
#![expect(clippy::disallowed_methods, reason = "naked spawns are what is tested")]

use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use correlation_core::{
    Context, CorrelationId, current, detached, inherit_on_spawn, scope, spawn, spawn_blocking,
};
use proptest::prelude::*;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet, yield_now};

/// A task.
#[derive(Clone, Debug)]
struct Node {
    /// The scope in which its parent spawns it, and the one that it has itself.
    around: Scope,
    own: Scope,
    how: How,
    fate: Fate,
    /// Whether its parent waits for its end.
    is_joined: bool,
    children: Vec<Self>,
}

#[derive(Clone, Copy, Debug)]
enum Scope {
    /// None is entered.
    Plain,
    New(u32),
    Detached,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Spawn,
    JoinSet,
    Helper,
    /// From a thread for blocking work, which is started with and without the helper.
    BlockingHelper,
    Blocking,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Ends,
    Panics,
    /// It is aborted where it waits, or before it may have run.
    Hangs,
    IsAborted,
    /// It ends after all those who spawned it.
    Outlives,
}

impl Node {
    /// What the task reads, if this is ambient in its parent.
    fn expected(&self, parent: Option<u32>, inherits: bool) -> Option<u32> {
        let around = |scope, ambient| match scope {
            Scope::Plain => ambient,
            Scope::New(id) => Some(id),
            Scope::Detached => None,
        };
        let spawned_in = match self.how {
            How::Spawn | How::JoinSet | How::BlockingHelper if !inherits => None,
            How::Blocking => None,
            _ => around(self.around, parent),
        };
        around(self.own, spawned_in)
    }

    fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }
}

/// What all tasks share.
struct World {
    inherits: bool,
    /// Closed once all tasks have ended, but for those that wait for that.
    gate: Semaphore,
    wrong: Mutex<Vec<String>>,
    dropped: Mutex<usize>,
}

/// Reads what a task reads, also when that is dropped.
struct Reader {
    world: Arc<World>,
    node: String,
    expected: Option<u32>,
    /// Dropped when the task has ended, or waits for the gate.
    busy: Option<mpsc::Sender<()>>,
    _alive: mpsc::Sender<()>,
    ended: Option<oneshot::Sender<()>>,
}

impl Reader {
    fn read(&self, when: &str) {
        let expected = self.expected.map(|id| id.to_string());
        let seen = current().map(String::from);
        if seen != expected {
            let wrong = format!("{when}: {seen:?} and not {expected:?} in {}", self.node);
            self.world.wrong.lock().unwrap().push(wrong);
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.read("dropped");
        *self.world.dropped.lock().unwrap() += 1;
        if let Some(ended) = self.ended.take() {
            let _ = ended.send(());
        }
    }
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The task of a node. It says when it has come to its end, or hangs.
fn task(node: Node, mut reader: Reader, there: oneshot::Sender<()>) -> Task {
    let own = node.own;
    let run = async move {
        reader.read("begun");
        for child in &node.children {
            begin(child, &reader).await;
            reader.read("after a child");
        }
        yield_now().await;
        reader.read("after a wait");
        let _ = there.send(());
        match node.fate {
            Fate::Ends | Fate::IsAborted => {}
            Fate::Panics => resume_unwind(Box::new("on purpose")),
            Fate::Hangs => pending().await,
            Fate::Outlives => {
                reader.busy = None;
                assert!(reader.world.gate.acquire().await.is_err());
                reader.read("after all others");
            }
        }
    };
    in_scope(own, run)
}

fn in_scope(of: Scope, future: impl Future<Output = ()> + Send + 'static) -> Task {
    match of {
        Scope::Plain => Box::pin(future),
        Scope::New(id) => Box::pin(scope(context(id), future)),
        Scope::Detached => Box::pin(detached(future)),
    }
}

fn context(id: u32) -> Context {
    Context::from(id.to_string().parse::<CorrelationId>().unwrap())
}

/// Spawns a node from the task that has this reader, and sees to its end.
async fn begin(node: &Node, parent: &Reader) {
    let ((ended, end), (there, arrived)) = (oneshot::channel(), oneshot::channel());
    let reader = Reader {
        world: Arc::clone(&parent.world),
        node: format!("{node:?}"),
        expected: node.expected(parent.expected, parent.world.inherits),
        busy: parent.busy.clone(),
        _alive: parent._alive.clone(),
        ended: Some(ended),
    };
    let (how, fate, joins) = (node.how, node.fate, node.is_joined);
    let task = task(node.clone(), reader, there);
    let (send, handle) = oneshot::channel();
    let spawn = async move {
        let _ = send.send(spawned(how, task).await);
    };
    in_scope(node.around, spawn).await;
    let handle = handle.await.unwrap();
    match fate {
        Fate::IsAborted => handle.abort(),
        Fate::Hangs => {
            arrived.await.unwrap();
            handle.abort();
        }
        Fate::Ends | Fate::Panics | Fate::Outlives => {}
    }
    if joins && fate != Fate::Outlives {
        end.await.unwrap();
    }
}

async fn spawned(how: How, task: Task) -> AbortHandle {
    let on_runtime = |task| {
        let handle = Handle::current();
        move || handle.spawn(task).abort_handle()
    };
    match how {
        How::Spawn => tokio::spawn(task).abort_handle(),
        How::JoinSet => {
            let mut set = JoinSet::new();
            let handle = set.spawn(task);
            set.detach_all();
            handle
        }
        How::Helper => spawn(task).abort_handle(),
        How::BlockingHelper => spawn_blocking(on_runtime(task)).await.unwrap(),
        How::Blocking => tokio::task::spawn_blocking(on_runtime(task)).await.unwrap(),
    }
}

/// Runs a tree of tasks from outside of any task, and gives what went wrong.
fn run(runtime: &Runtime, inherits: bool, root: &Node) -> Vec<String> {
    let world = Arc::new(World {
        inherits,
        gate: Semaphore::new(0),
        wrong: Mutex::default(),
        dropped: Mutex::default(),
    });
    let ((busy, mut idle), (alive, mut over)) = (mpsc::channel(1), mpsc::channel(1));
    runtime.block_on(async {
        let outside = Reader {
            world: Arc::clone(&world),
            node: "outside".to_owned(),
            expected: None,
            busy: Some(busy),
            _alive: alive,
            ended: None,
        };
        begin(root, &outside).await;
        drop(outside);
        assert_eq!(idle.recv().await, None);
        world.gate.close();
        assert_eq!(over.recv().await, None);
    });
    assert_eq!(*world.dropped.lock().unwrap(), root.count() + 1);
    std::mem::take(&mut *world.wrong.lock().unwrap())
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![
        3 => Just(Scope::Plain),
        2 => any::<u32>().prop_map(Scope::New),
        1 => Just(Scope::Detached),
    ]
}

/// A task that spawns no other.
fn alone() -> impl Strategy<Value = Node> {
    let how = prop::sample::select(vec![
        How::Spawn,
        How::Spawn,
        How::JoinSet,
        How::Helper,
        How::BlockingHelper,
        How::Blocking,
    ]);
    let fate = prop::sample::select(vec![
        Fate::Ends,
        Fate::Panics,
        Fate::Hangs,
        Fate::IsAborted,
        Fate::Outlives,
    ]);
    let node = (scopes(), scopes(), how, fate, any::<bool>());
    node.prop_map(|(around, own, how, fate, is_joined)| Node {
        around,
        own,
        how,
        fate,
        is_joined,
        children: Vec::new(),
    })
}

fn nodes() -> impl Strategy<Value = Node> {
    alone().prop_recursive(4, 24, 4, |inner| {
        let children = prop::collection::vec(inner, 0..4);
        (alone(), children).prop_map(|(node, children)| Node {
            fate: match node.fate {
                // It may never have had any.
                Fate::IsAborted => Fate::Hangs,
                fate => fate,
            },
            children,
            ..node
        })
    })
}

/// A runtime that inherits and one that does not, of one thread and of several.
fn runtimes() -> [(Runtime, bool); 4] {
    let make = |mut builder: Builder, inherits| {
        let builder = if inherits {
            inherit_on_spawn(&mut builder)
        } else {
            &mut builder
        };
        (builder.build().unwrap(), inherits)
    };
    let several = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(3);
        builder
    };
    [
        make(Builder::new_current_thread(), true),
        make(several(), true),
        make(Builder::new_current_thread(), false),
        make(several(), false),
    ]
}

#[test]
fn each_task_reads_what_was_ambient_where_it_was_spawned() {
    let runtimes = runtimes();
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let checked = proptest::test_runner::TestRunner::new(config).run(&nodes(), |root| {
        for (runtime, inherits) in &runtimes {
            let wrong = run(runtime, *inherits, &root);
            prop_assert!(
                wrong.is_empty(),
                "inherits: {}\n{}",
                inherits,
                wrong.join("\n")
            );
        }
        Ok(())
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
}
