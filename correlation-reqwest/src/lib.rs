#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod propagate;
mod propagator;
mod redirect;

pub use correlation_core as correlation;
pub use correlation_core::Targets;
pub use propagate::Propagate;
pub use propagator::Propagator;
pub use redirect::redirect_policy;
pub use reqwest_middleware;
