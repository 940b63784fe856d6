#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Code that is copied from the documentation leaves no `Result` unused.
#![doc(test(attr(deny(unused_must_use))))]

mod access;
mod body;
mod client;
mod peer;
mod server;

pub use body::CorrelatedBody;
pub use client::{PropagateLayer, PropagateService};
pub use correlation_core as correlation;
pub use peer::PeerAddr;
pub use server::{CorrelationLayer, CorrelationService, ResponseFuture};
