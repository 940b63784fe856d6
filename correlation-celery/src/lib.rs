#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod celery;
mod error;
mod header;
mod message;
mod task;

pub use celery::Celery;
pub use correlation_core as correlation;
pub use error::{InvalidHeader, InvalidMessage};
pub use header::Header;
pub use message::Message;
pub use serde_json;
pub use task::Task;
