//! What was counted, and the first of all faults.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The kinds of faults.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Anything else: a torn line, an ID that nobody had, a status that is not the one asked for.
    Wrong,
    /// An expected line, header or ID is not there.
    Missing,
    /// The ID of another request.
    Crossed,
    /// An ID that a caller wrote where it must not count.
    Forged,
}

/// The counters of one service, broker or database.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) answers: u64,
    pub(crate) lines: u64,
    pub(crate) wrong: u64,
    pub(crate) missing: u64,
    pub(crate) crossed: u64,
    pub(crate) forged: u64,
}

impl Counts {
    /// Counts a fault, and shows it if it is one of the first.
    pub(crate) fn fault(&mut self, who: &str, fault: Fault, what: impl FnOnce() -> String) {
        *match fault {
            Fault::Wrong => &mut self.wrong,
            Fault::Missing => &mut self.missing,
            Fault::Crossed => &mut self.crossed,
            Fault::Forged => &mut self.forged,
        } += 1;
        if SHOWN.fetch_add(1, Ordering::Relaxed) < SHOW {
            let mut what = what();
            what.truncate(what.floor_char_boundary(LONG));
            println!("{fault:?}, {who}: {what}");
        }
    }

    /// All faults.
    pub(crate) fn faults(&self) -> u64 {
        self.wrong + self.missing + self.crossed + self.forged
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.answers += other.answers;
        self.lines += other.lines;
        self.wrong += other.wrong;
        self.missing += other.missing;
        self.crossed += other.crossed;
        self.forged += other.forged;
    }
}

static SHOWN: AtomicUsize = AtomicUsize::new(0);
const SHOW: usize = 40;
const LONG: usize = 600;
