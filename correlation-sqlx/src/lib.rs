#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Code that is copied from the documentation leaves no `Result` unused.
#![doc(test(attr(deny(unused_must_use))))]

mod application;
mod comment;
mod correlate;
mod options;

pub use application::{Application, InvalidApplication};
pub use comment::commented;
pub use correlate::Correlate;
pub use correlation_core as correlation;
pub use options::CorrelatedPoolOptions;
