//! The ID on every line that `tracing` writes, whatever the format.
//!
//! [`tag`] wraps the writer, so it works with every formatter: the lines of `fmt` in all its
//! forms, JSON, logfmt, and whatever else is written through a [`MakeWriter`]. The ID is read at
//! the moment a line is written; no span is needed, and so none can be filtered out.
//!
//! | the formatter writes | and this is added |
//! |---|---|
//! | text | ` correlation_id=ID` at the end of every line that is not blank |
//! | JSON, an object a line | `"correlation_id":"ID"` as the first key |
//!
//! Beside it stands `trace_id` when a valid W3C `traceparent` came in, and on the first line of a
//! request `upstream_id`, if the caller sent an ID that the policy does not trust. A key that the
//! record has already is not written again. Outside of any scope nothing is added.
//!
//! [`MakeWriter`]: tracing_subscriber::fmt::MakeWriter

mod writer;

use std::error::Error;

pub use writer::{Tag, TagWriter, tag};

use tracing_subscriber::EnvFilter;

/// As [`tracing_subscriber::fmt::init()`], with the ID on every line.
///
/// Text on standard output, filtered by the environment variable `RUST_LOG` (without it only
/// errors are shown), records of the `log` crate included.
///
/// ```
/// use correlation_core::{CorrelationId, sync_scope};
///
/// correlation_core::tracing::init();
/// sync_scope(CorrelationId::new(), || tracing::error!("payment failed"));
/// // 2026-11-22T14:15:49.440140Z ERROR shop: payment failed correlation_id=5cb8...
/// ```
///
/// # Panics
///
/// If a global subscriber or a logger is installed already.
pub fn init() {
    try_init().expect("no other subscriber or logger is installed");
}

/// As [`init`], for those who want to know.
///
/// # Errors
///
/// If a global subscriber or a logger is installed already.
pub fn try_init() -> Result<(), Box<dyn Error + Send + Sync + 'static>> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .map_writer(tag)
        .try_init()
}
