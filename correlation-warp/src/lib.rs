#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod extract;
mod filter;
mod serve;

pub use correlation_core as correlation;
pub use correlation_core::*;
pub use correlation_tower::{
    CorrelatedBody, Correlation, CorrelationLayer, PeerAddr, Propagate, PropagateLayer,
};
pub use extract::{CurrentId, MissingId, id, remote};
pub use filter::{correlated, correlated_with};
pub use serve::{Accept, Server, Unbound, serve};
