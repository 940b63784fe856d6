#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod ending;
mod future;
mod layer;
mod peer;
mod propagate;
mod service;
mod settings;

pub use body::CorrelatedBody;
pub use correlation_core as correlation;
pub use correlation_core::Targets;
pub use future::ResponseFuture;
pub use layer::CorrelationLayer;
pub use peer::PeerAddr;
pub use propagate::{Propagate, PropagateLayer};
pub use service::Correlation;
