#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod correlated;
mod layer;
mod propagated;
mod service;
mod spawned;

pub use correlated::{Correlate, Correlated};
pub use correlation_core as correlation;
pub use layer::CorrelationLayer;
pub use propagated::Propagated;
pub use service::Correlation;
