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

/// What may go wrong: the broker, and what a handler could not do.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of everything here.
pub type Result<T = ()> = std::result::Result<T, Error>;
