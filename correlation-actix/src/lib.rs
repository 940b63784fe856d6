#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Code that is copied from the documentation leaves no `Result` unused.
#![doc(test(attr(deny(unused_must_use))))]

mod body;
#[cfg(feature = "awc")]
mod client;
mod extract;
mod middleware;

pub use body::CorrelatedBody;
#[cfg(feature = "awc")]
pub use client::{Propagate, PropagateFuture, PropagateMiddleware};
pub use correlation_core as correlation;
pub use extract::{CurrentId, MissingId};
pub use middleware::{Correlation, CorrelationMiddleware, ResponseFuture};
