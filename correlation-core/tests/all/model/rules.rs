//! What is ambient, in a few lines.

use super::{Op, Step};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum State {
    #[default]
    Unset,
    Absent,
    Detached,
    Set(usize),
}

#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) tasks: [Task; 2],
    pub(super) threads: [Table; 2],
    pub(super) kept: Option<State>,
}

#[derive(Clone, Default)]
pub(super) struct Task {
    pub(super) scopes: Vec<State>,
    table: Table,
    pub(super) ended: bool,
}

/// The contexts that are tied to a task, and whether they are finished.
pub(super) type Table = Vec<(usize, bool)>;

impl Model {
    /// What is ambient in a task under so many of its scopes.
    pub(super) fn at(&self, task: usize, scopes: usize, outer: State) -> State {
        let task = &self.tasks[task];
        let scope = task.scopes[..scopes].last();
        or_known(*scope.unwrap_or(&outer), &task.table)
    }

    /// Takes a step, if it can be taken; `n` is its number and that of its context.
    pub(super) fn step(&mut self, step: Step, n: usize, outer: State) -> Option<()> {
        let depth = self.tasks[step.task].scopes.len();
        let now = self.at(step.task, depth, outer);
        let taken = if now == State::Unset {
            State::Absent
        } else {
            now
        };
        let Self {
            tasks,
            threads,
            kept,
        } = self;
        let (task, thread) = (&mut tasks[step.task], &mut threads[step.thread]);
        if task.ended {
            return None;
        }
        match step.op {
            Op::Scope => task.scopes.push(State::Set(n)),
            Op::Detach => task.scopes.push(State::Detached),
            Op::InCurrent => task.scopes.push(taken),
            Op::Leave if depth == 0 => task.ended = true,
            Op::Leave | Op::Cancel | Op::Panic => drop(task.scopes.pop()?),
            Op::Die | Op::Abort => task.ended = true,
            Op::Sync => {}
            Op::Keep => *kept = Some(taken),
            Op::Run => drop((*kept)?),
            Op::Begin => task.table.push((n, false)),
            Op::Finish => task.table.last_mut()?.1 = true,
            Op::End if task.table.is_empty() => return None,
            Op::End => drop(task.table.remove(0)),
            Op::BeginThread => thread.push((n, false)),
            Op::FinishThread if thread.is_empty() => return None,
            Op::FinishThread => drop(thread.remove(0)),
        }
        Some(())
    }
}

/// Where no scope was entered, the table is asked: for the only context, or the only one that is
/// not finished.
pub(super) fn or_known(scope: State, table: &Table) -> State {
    let mut open = table
        .iter()
        .filter(|(_, finished)| !finished || table.len() == 1);
    match (scope, open.next(), open.next()) {
        (State::Unset, Some((n, _)), None) => State::Set(*n),
        (scope, ..) => scope,
    }
}
