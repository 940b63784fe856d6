#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Code that is copied from the documentation leaves no `Result` unused.
#![doc(test(attr(deny(unused_must_use))))]

mod correlated;
mod layer;
mod propagated;
mod service;
mod spawned;

pub use correlated::{Correlate, Correlated};
pub use correlation_core as correlation;
pub use layer::CorrelationLayer;
pub use propagated::Propagated;
pub use service::CorrelationService;
