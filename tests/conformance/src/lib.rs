//! The contract app on each framework, and on hyper with no adapter.
//!
//! Each app exists once. `tests/all` runs the contract of [`correlation_testkit`] against it twice:
//! in the process of the test, where [`Adapter`](correlation_testkit::Adapter) lists the endpoints,
//! and against the binary, which adds [`Config`](service_common::Config) and signals.

pub mod actix;
pub mod axum;
pub mod custom;
pub mod rocket;
pub mod warp;

mod outbound;
