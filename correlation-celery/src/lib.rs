#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Code that is copied from the documentation leaves no `Result` unused.
#![doc(test(attr(deny(unused_must_use))))]

mod celery;
mod error;
mod header;
mod message;
mod redis;
mod task;

pub use celery::Celery;
pub use correlation_core as correlation;
pub use error::{InvalidHeader, InvalidMessage};
pub use header::Header;
pub use message::Message;
pub use redis::redis_queues;
pub use serde_json;
pub use task::Task;
