//! Every example against its real broker.
//!
//! `CORRELATION_REQUIRE_SERVICES=1 cargo test -p queues --features kafka`

mod amqp_wire;
mod common;
mod demo;
mod jetstream;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "kafka")]
mod kafka_wire;
mod mqtt;
mod mqtt_packets;
mod nats;
mod rabbitmq;
mod redis_keys;
mod redis_lists;
mod redis_streams;
mod restart;
#[cfg(unix)]
mod rq;
#[cfg(unix)]
mod rq_python;
