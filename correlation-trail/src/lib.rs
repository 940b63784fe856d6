#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clean;
mod collect;
mod follow;
mod format;
mod id;
mod input;
mod lines;
mod print;
mod record;
mod service;
mod time;
mod timeline;
mod trail;

pub use clean::printable;
pub use follow::Follow;
pub use print::{Json, Text};
pub use record::{Level, Record};
pub use time::Timestamp;
pub use timeline::Timeline;
pub use trail::Trail;
