//! Puts the ID on every log line: where in a record it goes, and the writers that add it.

#[cfg(any(feature = "log", feature = "tracing"))]
mod json;
#[cfg(feature = "log")]
pub mod log;
#[cfg(feature = "log")]
mod log_pairs;
pub mod panic_hook;
#[cfg(any(feature = "log", feature = "tracing"))]
mod records;
#[cfg(any(feature = "log", feature = "tracing"))]
mod tagger;
#[cfg(feature = "tracing")]
pub(crate) mod tracing;
#[cfg(any(feature = "log", feature = "tracing"))]
mod writer;

#[cfg(any(feature = "log", feature = "tracing"))]
use tagger::{Format, Tagger, split_ending};
#[cfg(any(feature = "log", feature = "tracing"))]
pub use writer::LogWriter;
