#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod extract;

pub use correlation_core as correlation;
pub use correlation_core::*;
pub use correlation_tower::{
    CorrelatedBody, Correlation, CorrelationLayer, PeerAddr, Propagate, PropagateLayer,
};
pub use extract::{CurrentId, MissingId};
