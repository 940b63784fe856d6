#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod propagate;
mod redirect;

pub use correlation_core as correlation;
pub use correlation_core::Targets;
pub use propagate::{Propagate, Propagator};
pub use redirect::redirect_policy;
