#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Code that is copied from the documentation leaves no `Result` unused.
#![doc(test(attr(deny(unused_must_use))))]

mod extract;

pub use correlation_core as correlation;
pub use correlation_tower::{
    CorrelatedBody, CorrelationLayer, CorrelationService, PeerAddr, PropagateLayer,
    PropagateService,
};
pub use extract::{CurrentId, MissingId};
