use std::fmt;

use crate::context;

/// Prints the ambient ID, or `-` outside of any scope: for formats with a fixed column.
///
/// ```
/// use correlation_core::{CorrelationId, log::Current, sync_scope};
///
/// assert_eq!(format!("[{Current}]"), "[-]");
/// let id: CorrelationId = "click-1".parse()?;
/// assert_eq!(sync_scope(id, || format!("[{Current}]")), "[click-1]");
/// # Ok::<(), correlation_core::InvalidId>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Current;

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A copy, since the formatter is foreign code.
        match context::current() {
            Some(id) => f.pad(id.as_str()),
            None => f.pad("-"),
        }
    }
}
