//! The errors of the program.

use std::error::Error;
use std::iter::successors;

/// An error in one line, for the person at the terminal.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Returns the reason of an error. reqwest's own text only says what it tried, and the reason is at
/// the end of the chain.
pub(crate) fn root_cause(error: &dyn Error) -> String {
    let chain = successors(Some(error), |&error| error.source());
    chain.last().unwrap_or(error).to_string()
}
