#![doc = include_str!("../README.md")]

pub mod jetstream;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod mqtt;
pub mod nats;
pub mod orders;
pub mod rabbitmq;
pub mod rabbitmq_rpc;
pub mod redis_connection;
pub mod redis_lists;
pub mod redis_streams;
pub mod rq;
pub mod rq_job;
pub mod rq_worker;

/// The result of every function here. The broker may fail, and so may the work on a message.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
