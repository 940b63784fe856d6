#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Code that is copied from the documentation leaves no `Result` unused.
#![doc(test(attr(deny(unused_must_use))))]

mod body;
mod fairing;
mod guard;
mod received;
mod reject;
mod route;

pub use correlation_core as correlation;
pub use fairing::Correlation;
pub use guard::{CurrentId, MissingId};
pub use route::Correlate;
