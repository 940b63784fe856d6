#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod deserializers;
mod encoder;

pub use correlation_core as correlation;
pub use deserializers::{Deserializer, deserializer, deserializers};
pub use encoder::{Encoder, encoder};
