//! What goes wrong.

use std::error::Error;
use std::iter::successors;

/// In one line, for the person in front of the terminal.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Why: reqwest's own text is only what it tried, the reason is at the end of the chain.
pub(crate) fn root_cause(error: &dyn Error) -> String {
    let chain = successors(Some(error), |&error| error.source());
    chain.last().unwrap_or(error).to_string()
}
