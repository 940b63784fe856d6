#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod application;
mod comment;
mod correlate;

pub use application::{Application, InvalidApplication};
pub use comment::commented;
pub use correlate::Correlate;
pub use correlation_core as correlation;
