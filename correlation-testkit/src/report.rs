//! The result of a check: every failure, and the number of comparisons.

use std::fmt::{Debug, Display};
use std::io;
use std::time::Duration;

use crate::DEADLINE;

/// The outcome of one or more checks.
///
/// Checks collect failures and do not panic. So one run shows every fault, and a control test can
/// assert that a check fails on a server with a fault.
#[derive(Clone, Debug, Default)]
pub struct Report {
    compared: usize,
    failures: Vec<String>,
}

impl Report {
    /// Compares a value with the value that the contract requires.
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

    /// Counts a comparison whose condition the caller has evaluated.
    pub fn holds(&mut self, condition: bool, failure: impl FnOnce() -> String) {
        self.compared += 1;
        if !condition {
            self.failures.push(failure());
        }
    }

    /// Adds a failure without a comparison.
    pub fn fail(&mut self, failure: impl Into<String>) {
        self.failures.push(failure.into());
    }

    /// Returns the value of a result. An error is a failure.
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

    /// Returns how long to wait for an event that comes at once if all is well. After a failure the
    /// time is short, so that the check of a broken adapter ends, too.
    pub(crate) const fn patience(&self) -> Duration {
        if self.failures.is_empty() {
            DEADLINE
        } else {
            Duration::from_secs(1)
        }
    }

    /// Requires that this report has exactly this many comparisons. A check that compared nothing
    /// would otherwise pass on every server.
    #[must_use]
    pub fn with_exactly(mut self, what: impl Display, comparisons: usize) -> Self {
        if self.compared != comparisons {
            let compared = self.compared;
            self.failures
                .push(format!("{what}: compared {compared}, want {comparisons}"));
        }
        self
    }

    /// Adds to every failure where it occurred.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        for failure in &mut self.failures {
            *failure = format!("{place}: {failure}");
        }
        self
    }

    /// Adds the result of another check.
    pub fn merge(&mut self, other: Self) {
        self.compared += other.compared;
        self.failures.extend(other.failures);
    }

    /// Returns the number of comparisons.
    pub fn compared(&self) -> usize {
        self.compared
    }

    /// Returns the failures, one line each.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Prints the number of comparisons, and panics with all failures at once.
    ///
    /// # Panics
    ///
    /// If there is a failure, or if there was no comparison.
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
