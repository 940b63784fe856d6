//! Every example against its real broker.
//!
//! `CORRELATION_REQUIRE_SERVICES=1 cargo test -p queues --features kafka`

mod common;
mod jetstream;
#[cfg(feature = "kafka")]
mod kafka;
mod mqtt;
mod nats;
mod rabbitmq;
mod redis_keys;
mod redis_lists;
mod redis_streams;
mod restart;
mod rq;
