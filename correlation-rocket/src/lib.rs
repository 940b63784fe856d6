#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod fairing;
mod guard;
mod received;
mod reject;
mod route;

pub use correlation_core as correlation;
pub use correlation_core::*;
pub use fairing::Correlation;
pub use guard::{CurrentId, MissingId};
pub use route::Correlated;
