#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Code that is copied from the documentation leaves no `Result` unused.
#![doc(test(attr(deny(unused_must_use))))]

mod propagate;
mod propagator;
mod redirect;

pub use correlation_core as correlation;
pub use propagate::Propagate;
pub use propagator::Propagator;
pub use redirect::redirect_policy;
pub use reqwest_middleware;
