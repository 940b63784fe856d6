//! The ambient context against a model of it.
//!
//! Two tasks of tokio run on two threads, one step at a time: the test decides which task is polled
//! next, on which thread, and what it does in that poll. Every frame of a task says what is ambient
//! whenever it is polled and when it is dropped, and each thread says so after every step. All of
//! that has to be what [`Model`] says. Each context has an ID of its own, so nothing can be right
//! by accident.
//!
//! All sequences of a few steps are tried, and random ones of many.
//!
//! # Mutants
//!
//! Each of these mistakes was made on purpose, and turned this red.
//!
//! | in | mistake |
//! |---|---|
//! | `slot.rs` | a scope that panics does not put back what it found |
//! | | a scope has lost its context after its first poll |
//! | | what is taken where nothing is ambient is *unset*, not *detached* |
//! | | *detached* asks the table, in either of the two ways to read |
//! | `mod.rs` | `detached` is *unset* |
//! | `scoped.rs` | what is dropped in the middle is dropped outside its scope |
//! | `task.rs` | a context that is dropped, or finished, stays; on a thread, too |
//! | | all contexts have one number; a new one replaces the others; all end with the first |
//! | | of two that are open the first is read; a finished one counts as open, or is not read |
//! | `by_task.rs` | the key is the thread, also inside a task |

mod frame;
mod rules;
mod world;

use proptest::prelude::*;
use rules::{Model, State};
use world::World;

/// What a task does in a poll, in its innermost scope; or what is done to it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    /// Enters a scope, which lasts over polls: of a new context, of none, of what is ambient.
    Scope,
    Detach,
    InCurrent,
    /// Its innermost scope ends: done, dropped in the middle, by a panic that is caught.
    Leave,
    Cancel,
    Panic,
    /// It ends itself by a panic.
    Die,
    /// It is aborted.
    Abort,
    /// A scope begins and ends within the poll; so does one that panics.
    Sync,
    /// A snapshot is taken, and the last one that was taken by any task is run.
    Keep,
    Run,
    /// A context is tied to the task, the last of them has been answered, the first is gone.
    Begin,
    Finish,
    End,
    /// The same for a context that is tied to the thread.
    BeginThread,
    FinishThread,
}

const ALL: [Op; 16] = [
    Op::Scope,
    Op::Detach,
    Op::InCurrent,
    Op::Leave,
    Op::Cancel,
    Op::Panic,
    Op::Die,
    Op::Abort,
    Op::Sync,
    Op::Keep,
    Op::Run,
    Op::Begin,
    Op::Finish,
    Op::End,
    Op::BeginThread,
    Op::FinishThread,
];

#[derive(Clone, Copy, Debug)]
struct Step {
    op: Op,
    task: usize,
    thread: usize,
    /// Whether the thread polls the task from within a scope.
    within: bool,
}

impl Step {
    /// What is ambient on the thread that polls.
    const fn outer(self, n: usize) -> State {
        if self.within {
            State::Set(n + 1_000_000)
        } else {
            State::Unset
        }
    }
}

/// Runs all sequences of so many of these operations, and says how many there are.
fn all_of(ops: &[Op], len: usize) -> usize {
    let (world, mut count) = (World::new(), 0);
    extend(ops, len, &mut Vec::new(), &Model::default(), &mut |steps| {
        count += 1;
        world.run(steps);
    });
    count
}

fn extend(
    ops: &[Op],
    len: usize,
    steps: &mut Vec<Step>,
    model: &Model,
    run: &mut impl FnMut(&[Step]),
) {
    let mut is_last = true;
    // Which task and which thread comes first, does not matter.
    let places = match steps.len() {
        0 => 1,
        taken if taken < len => 4,
        _ => 0,
    };
    for place in 0..places {
        for &op in ops {
            let step = Step {
                op,
                task: place / 2,
                thread: place % 2,
                within: false,
            };
            let mut next = model.clone();
            if next.step(step, steps.len(), State::Unset).is_some() {
                is_last = false;
                steps.push(step);
                extend(ops, len, steps, &next, run);
                steps.pop();
            }
        }
    }
    if is_last {
        run(steps);
    }
}

const SCOPES: [Op; 7] = [
    Op::Scope,
    Op::Detach,
    Op::InCurrent,
    Op::Leave,
    Op::Cancel,
    Op::Panic,
    Op::Abort,
];
const TABLES: [Op; 6] = [
    Op::Scope,
    Op::Leave,
    Op::Begin,
    Op::Finish,
    Op::End,
    Op::BeginThread,
];
const BOTH: [Op; 4] = [Op::Scope, Op::Leave, Op::Begin, Op::Abort];

#[test]
fn all_short_sequences_with_scopes() {
    assert_eq!(all_of(&SCOPES, 4), 32_480);
}

#[test]
fn all_short_sequences_with_tables() {
    assert_eq!(all_of(&TABLES, 4), 14_634);
}

#[test]
fn all_short_sequences_with_both() {
    assert_eq!(all_of(&BOTH, 5), 45_224);
}

/// By hand: `cargo test --release -p correlation-core --test all model -- --ignored --nocapture`.
#[test]
#[ignore = "minutes"]
fn all_longer_sequences() {
    let counts = [all_of(&SCOPES, 5), all_of(&TABLES, 5), all_of(&BOTH, 6)];
    println!("{counts:?} sequences");
}

fn step() -> impl Strategy<Value = Step> {
    let within = prop::bool::weighted(0.2);
    (
        prop::sample::select(&ALL[..]),
        0..2_usize,
        0..2_usize,
        within,
    )
        .prop_map(|(op, task, thread, within)| Step {
            op,
            task,
            thread,
            within,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn long_sequences(steps in prop::collection::vec(step(), 0..80)) {
        World::new().run(&steps);
    }
}
