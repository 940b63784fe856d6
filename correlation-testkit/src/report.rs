//! What a check found: every failure, and how much it compared.

use std::fmt::{Debug, Display};
use std::io;
use std::time::Duration;

use crate::DEADLINE;

/// The outcome of one or more checks.
///
/// Checks collect instead of panicking, so that one run shows everything that is wrong, and so
/// that a control can assert that a check fails on a server that is wrong on purpose.
#[derive(Clone, Debug, Default)]
pub struct Report {
    compared: usize,
    failures: Vec<String>,
}

impl Report {
    /// Compares a value with the one that the contract demands.
    #[expect(clippy::needless_pass_by_value, reason = "reads like `assert_eq!`")]
    pub fn equal<G, W>(&mut self, what: impl Display, got: G, want: W)
    where
        G: PartialEq<W> + Debug,
        W: Debug,
    {
        self.holds(got == want, || {
            format!("{what}: got {got:?}, want {want:?}")
        });
    }

    /// Compares by a condition that the caller evaluated.
    pub fn holds(&mut self, condition: bool, failure: impl FnOnce() -> String) {
        self.compared += 1;
        if !condition {
            self.failures.push(failure());
        }
    }

    /// Notes what is wrong without having compared anything.
    pub fn fail(&mut self, failure: impl Into<String>) {
        self.failures.push(failure.into());
    }

    /// Takes the value out of a result; an error is a failure.
    pub fn ok<T, E: Display>(&mut self, what: impl Display, result: Result<T, E>) -> Option<T> {
        result
            .map_err(|error| self.fail(format!("{what}: {error}")))
            .ok()
    }

    /// Runs a part of a check. An error that ends the part is a failure.
    pub(crate) async fn part(
        &mut self,
        what: impl Display,
        part: impl AsyncFnOnce(&mut Self) -> io::Result<()>,
    ) {
        let result = part(self).await;
        self.ok(what, result);
    }

    /// How long to wait for what comes at once when all is well: not long any more where something
    /// is wrong already, so that a check of a broken adapter ends, too.
    pub(crate) const fn patience(&self) -> Duration {
        if self.failures.is_empty() {
            DEADLINE
        } else {
            Duration::from_secs(1)
        }
    }

    /// Demands that this report compared exactly so much: a check that quietly compared nothing
    /// would be green on every server.
    #[must_use]
    pub fn with_exactly(mut self, what: impl Display, comparisons: usize) -> Self {
        if self.compared != comparisons {
            let compared = self.compared;
            self.failures
                .push(format!("{what}: compared {compared}, want {comparisons}"));
        }
        self
    }

    /// Says of every failure where it came about.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        for failure in &mut self.failures {
            *failure = format!("{place}: {failure}");
        }
        self
    }

    /// Adds what another check found.
    pub fn merge(&mut self, other: Self) {
        self.compared += other.compared;
        self.failures.extend(other.failures);
    }

    /// How many comparisons were made.
    pub fn compared(&self) -> usize {
        self.compared
    }

    /// What is wrong, one line each.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Prints how much was compared, and panics with all failures at once.
    ///
    /// # Panics
    ///
    /// If there is a failure, or if nothing was compared at all.
    pub fn assert_passed(&self, name: &str) {
        let Self { compared, failures } = self;
        println!("{name}: {compared} comparisons");
        assert!(
            failures.is_empty(),
            "{name}: {} failures in {compared} comparisons:\n{}",
            failures.len(),
            failures.join("\n")
        );
        assert!(*compared > 0, "{name}: nothing was compared");
    }
}
